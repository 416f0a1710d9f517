"""The `vidattn` command."""

import importlib
import io
import re
import signal
import sys
import warnings
from collections.abc import Callable
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any

COMMANDS = {
    "fit": "train on videos, then test the best weights:  vidattn fit --config configs/motion_divided.yaml",
    "validate": "evaluate on the validation split",
    "test": "evaluate on the test split and write a scorecard",
    "predict": "classify a file, a folder or a list with a run's best weights:\n"
    "vidattn predict --config RUN/config.yaml --data.predict VIDEO",
    "check": "find what is wrong with a dataset:  vidattn check train.csv val.csv --root videos",
    "classify": "what is happening in these videos?  vidattn classify VIDEO... --weights CHECKPOINT [--timeline]",
    "convert": "make a folder to share of any checkpoint, also with another scheme:\n"
    "vidattn convert RUN/checkpoints/best.ckpt FOLDER --attention joint",
    "make": "write a set of videos that this package draws itself:  vidattn make motion --folder FOLDER",
    "doctor": "what works on this machine, what does not, and the line that mends it",
    "flops": "parameters, MACs and memory of a network:  vidattn flops timesformer, a scheme, a YAML or a checkpoint",
    "compare": "what schemes cost side by side:  vidattn compare joint time+space --frames 8,16,32 --plots FOLDER",
    "study": "train schemes under one recipe and several seeds:  vidattn study space divided joint",
    "prepare": "write a dataset again so that training reads it fast:  vidattn prepare DATA OUT --shards 64",
    "bench-loader": "time reading your own videos, and say what will be the bottleneck:  vidattn bench-loader PATH",
    "bench-classify": "time whole answers against decoding plus the network alone:  vidattn bench-classify VIDEO",
    "bench-model": "time our networks against Hugging Face's TimeSformer",
    "bench-attention": "time fused attention against two products, by length and type",
    "bench-image": "multiply-accumulates, time and memory of the image blocks, by size of the map",
}
"""What `vidattn --help` says of each command."""

TRAINER = ("fit", "validate", "test", "predict")
"""Commands of Lightning's command line."""

FUNCTIONS = {
    "bench-model": "vidattn.bench.model:bench_model",
    "bench-attention": "vidattn.bench.model:bench_attention",
    "bench-image": "vidattn.bench.image:bench_image",
}
"""Commands whose options are the arguments of a function."""

PARSERS = {
    "check": "vidattn.commands.check:check_command",
    "classify": "vidattn.commands.classify:classify",
    "doctor": "vidattn.commands.doctor:doctor",
    "make": "vidattn.commands.make:make",
    "flops": "vidattn.commands.flops:flops_command",
    "compare": "vidattn.commands.compare:compare_command",
    "convert": "vidattn.commands.convert:convert_command",
    "study": "vidattn.commands.study:study_command",
    "prepare": "vidattn.data.prepare.prepare:prepare_command",
    "bench-loader": "vidattn.bench.loader:bench_loader_command",
    "bench-classify": "vidattn.bench.classify:bench_classify_command",
}
"""Commands that read their own arguments: a function of the list of words behind the command."""


def main(args: list[str] | None = None) -> None:
    """Run the command that the arguments name. Leaves with 130 after Ctrl-C, also while it is still being imported."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may hold bytes that are no text
    try:
        dispatch(args)
    except KeyboardInterrupt:
        print("vidattn: interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def dispatch(args: list[str] | None) -> None:
    """Run the command; each imports only what it needs."""
    words = sys.argv[1:] if args is None else args
    command = words[0] if words else "--help"
    if command == "help" and len(words) > 1:
        command, words = words[1], [words[1], "--help"]
        args = words
    if command in TRAINER:
        quiet()
        run_trainer(command, args)
    elif command in FUNCTIONS or command in PARSERS:
        quiet()
        try:
            if command in FUNCTIONS:
                from jsonargparse import auto_cli

                auto_cli(imported(FUNCTIONS[command]), args=words[1:], as_positional=False)
            else:
                imported(PARSERS[command])(words[1:])
        except Exception as error:
            leave_at_mistake(command, error)
            raise
    elif command in ("-h", "--help", "help"):
        print(usage())
    elif command == "--version":
        print(f"vidattn {version('vidattn')}")
    else:
        near = get_close_matches(command, COMMANDS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        print(f"vidattn: unknown command {command!r}{hint}\n\n{usage()}", file=sys.stderr)
        sys.exit(2)


def leave_at_mistake(command: str, error: Exception) -> None:
    """Say a mistake of the user's in a line and leave with status 2; return where it is none."""
    from vidattn.commands.mistakes import mistake

    if (line := mistake(error)) is not None:
        print(f"vidattn {command}: {line}", file=sys.stderr)
        sys.exit(2)


def run_trainer(command: str, args: list[str] | None) -> None:
    """Train, evaluate or predict. Leaves with status 2 at a mistake of the user's, which takes a line to say, and with
    1 where a prediction could not read some of the videos."""
    from pytorch_lightning.utilities.exceptions import SIGTERMException

    from vidattn.commands.trainer import TrainerCLI

    go_on = "; go on with --ckpt_path RUN/checkpoints/last.ckpt, if there is one by now" if command == "fit" else ""
    try:
        cli = TrainerCLI(args)
    except SIGTERMException:
        print(f"vidattn: terminated{go_on}", file=sys.stderr)
        sys.exit(128 + signal.SIGTERM)  # Lightning's says 0, as if the run had come to its end
    except (KeyboardInterrupt, SystemExit) as end:
        # Lightning makes an exit of the interrupt, with code 1 and nothing said.
        if not isinstance(end, KeyboardInterrupt) and not isinstance(end.__context__, KeyboardInterrupt):
            raise
        print(f"vidattn: interrupted{go_on}", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        leave_at_mistake(command, error)
        # Torch's words, by how it came to know of it. A mistake within a worker has others.
        killed = r"DataLoader worker .*(killed by signal|exited unexpectedly)"
        if not isinstance(error, RuntimeError) or not re.match(killed, str(error)):
            raise
        print(
            f"vidattn: a data worker was killed ({error}). The memory may have been short: set data.num_workers or "
            "data.batch_size lower, and go on with --ckpt_path RUN/checkpoints/last.ckpt",
            file=sys.stderr,
        )
        sys.exit(1)
    if cli.skipped and cli.trainer.is_global_zero:
        sys.exit(1)


def usage() -> str:
    """All commands, a line or two each."""
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:{width}}" + text.replace("\n", "\n" + " " * (width + 2)) for name, text in COMMANDS.items()]
    return "\n".join(["vidattn <command> [arguments]      (vidattn <command> --help)", "", *lines])


def imported(target: str) -> Callable[..., Any]:
    """The function that `module:function` names; nothing is imported before it is asked for."""
    module, _, function = target.partition(":")
    return getattr(importlib.import_module(module), function)


def quiet() -> None:
    """Leave out warnings of the libraries that a user of ours can do nothing about."""
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message="Total length of `list` across ranks is zero.*")  # no data.val
    warnings.filterwarnings("ignore", message="The dirpath has changed from.*")  # another run's folder: as meant
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*is smaller than the logging interval.*")
    warnings.filterwarnings("ignore", message=".*WeightAveraging callback, but loading a checkpoint outside.*")
    warnings.filterwarnings("ignore", message=".*callbacks used to create the checkpoint need to be provided.*")
    warnings.filterwarnings("ignore", message=".*args parameter is intended to run from within Python.*")
    warnings.filterwarnings("ignore", message=".*callback with a model that overrides the configure_model.*")


if __name__ == "__main__":
    main()
