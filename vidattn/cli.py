"""The `vidattn` command: the name of a command -> the function that runs it, in `vidattn.commands`."""

import importlib
import io
import signal
import sys
from importlib.metadata import version
from typing import NamedTuple

from vidattn.wording import did_you_mean


class Command(NamedTuple):
    """Where a command's function stands, and what `vidattn --help` says of it."""

    target: str
    about: str


COMMANDS = {
    "fit": Command(
        "trainer:fit", "train on videos, then test the best weights:  vidattn fit --config configs/motion_divided.yaml"
    ),
    "validate": Command("trainer:validate", "evaluate on the validation split"),
    "test": Command("trainer:test", "evaluate on the test split and write a scorecard"),
    "predict": Command(
        "predict:predict",
        "classify a file, a folder or a list with a run's best weights:\n"
        "vidattn predict --config RUN/config.yaml --data.predict VIDEO\n"
        "or find who does what in them, and go on after an interrupt:\n"
        "vidattn predict LIST --weights DETECTOR_RUN --out found.csv",
    ),
    "check": Command(
        "check:check", "find what is wrong with a dataset:  vidattn check train.csv val.csv --root videos"
    ),
    "classify": Command(
        "classify:classify",
        "what is happening in these videos?  vidattn classify VIDEO... --weights CHECKPOINT [--timeline]",
    ),
    "calibrate": Command(
        "calibrate:calibrate",
        "how far are its probabilities to be believed?  vidattn calibrate RUN --val LIST [--other LIST]",
    ),
    "detect": Command(
        "detect:detect", "who does what, where, in these videos?  vidattn detect VIDEO... --weights RUN --film out.mp4"
    ),
    "explain": Command(
        "explain:explain",
        "what does each patch look at?  vidattn explain VIDEO --weights CHECKPOINT --save-html page.html",
    ),
    "features": Command(
        "features:features", "a vector of each video:  vidattn features VIDEO... --weights CHECKPOINT --out FILE"
    ),
    "convert": Command(
        "convert:convert",
        "make a folder to share of any checkpoint, also with another scheme:\n"
        "vidattn convert RUN/checkpoints/best.ckpt --out FOLDER --attention joint",
    ),
    "export": Command(
        "export:export",
        "write the whole of a network, pixels in and probabilities out, for other programs:\n"
        "vidattn export CHECKPOINT OUT.onnx (or OUT.pt2)",
    ),
    "quantize": Command(
        "quantize:quantize",
        "make a network small, its weights in few bits, and measure what that costs:\n"
        "vidattn quantize CHECKPOINT OUT --to int8",
    ),
    "make": Command(
        "make:make", "write a set of videos that this package draws itself:  vidattn make motion --out FOLDER"
    ),
    "doctor": Command("doctor:doctor", "what works on this machine, what does not, and the line that mends it"),
    "flops": Command(
        "flops:flops",
        "parameters, MACs and memory of a network:  vidattn flops timesformer, a scheme, a YAML or a checkpoint",
    ),
    "compare": Command(
        "compare:compare_schemes",
        "what schemes cost side by side:  vidattn compare joint time+space --frames 8,16,32 --out FOLDER",
    ),
    "study": Command(
        "study:study", "train schemes under one recipe and several seeds:  vidattn study space divided joint"
    ),
    "chain": Command(
        "chain:chain",
        "train in stages over several seeds, each from the weights of the one before:\n"
        "vidattn chain PRETRAIN.yaml FINE_TUNE.yaml --out FOLDER",
    ),
    "probe": Command(
        "probe:probe",
        "what a frozen network knows of your videos:\n"
        "vidattn probe --weights SOURCE --train LIST --val LIST --test LIST --out FOLDER",
    ),
    "similar": Command(
        "similar:similar",
        "the videos of an archive that look most like one:  vidattn similar VIDEO --among FOLDER --weights SOURCE",
    ),
    "prepare": Command(
        "prepare:prepare",
        "write a dataset again so that training reads it fast:  vidattn prepare DATA --out FOLDER --shards 64",
    ),
    "plan": Command(
        "plan:plan",
        "hours, memory, bottleneck and price of a training on many GPUs:\n"
        "vidattn plan --videos 240k --seconds 10 --gpus 64 --network timesformer --epochs 15",
    ),
    "bench-loader": Command(
        "bench_loader:bench_loader",
        "time reading your own videos, and say what will be the bottleneck:  vidattn bench-loader PATH",
    ),
    "bench-classify": Command(
        "bench_classify:bench_classify",
        "time whole answers against decoding plus the network alone:  vidattn bench-classify VIDEO",
    ),
    "bench-model": Command("bench_model:bench_model", "time our networks against Hugging Face's TimeSformer"),
    "bench-masked": Command(
        "bench_masked:bench_masked", "time an encoder on what a mask leaves of a clip against the whole clip"
    ),
    "bench-attention": Command(
        "bench_attention:bench_attention", "time fused attention against two products, by length and type"
    ),
    "bench-image": Command(
        "bench_image:bench_image", "multiply-accumulates, time and memory of the image blocks, by size of the map"
    ),
}


def main(args: list[str] | None = None) -> None:
    """Run the command that the arguments name. Leaves with 130 after Ctrl-C, also while it is still being imported."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may hold bytes that are no text
    try:
        dispatch(sys.argv[1:] if args is None else args)
    except KeyboardInterrupt:
        print("vidattn: interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def dispatch(words: list[str]) -> None:
    """Run the command; each imports only what it needs."""
    command, *words = words or ["--help"]
    if command == "help" and words:
        command, words = words[0], ["--help"]
    if command in COMMANDS:
        run(command, words)
    elif command in ("-h", "--help", "help"):
        print(usage())
    elif command == "--version":
        print(f"vidattn {version('vidattn')}")
    else:
        hint = did_you_mean(command, COMMANDS)
        print(f"vidattn: unknown command {command!r}{hint}\n\n{usage()}", file=sys.stderr)
        sys.exit(2)


def run(command: str, words: list[str]) -> None:
    """Run one command; a mistake of the user's ends it in a line, with status 2."""
    from vidattn.commands.ending import leave_at_mistake
    from vidattn.commands.quiet import quiet

    quiet()
    module, _, function = COMMANDS[command].target.partition(":")
    try:
        getattr(importlib.import_module(f"vidattn.commands.{module}"), function)(words)
    except Exception as error:
        leave_at_mistake(command, error)
        raise


def usage() -> str:
    """All commands, a line or two each."""
    width = max(map(len, COMMANDS)) + 2
    indent = "\n" + " " * (width + 2)
    lines = [f"  {name:{width}}{command.about}".replace("\n", indent) for name, command in COMMANDS.items()]
    return "\n".join(["vidattn <command> [arguments]      (vidattn <command> --help)", "", *lines])


if __name__ == "__main__":
    main()
