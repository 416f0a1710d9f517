"""`vidattn export`: the whole of a network as one file that other programs run."""

import argparse
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from vidattn.calibration.calibration import Calibration
from vidattn.checkpoints.read import read_checkpoint
from vidattn.classify.answer_names import names_for
from vidattn.classify.detector import Detector
from vidattn.classify.preparation import Preparation
from vidattn.classify.video_runner import load_prepared
from vidattn.commands.options import Parser
from vidattn.export.about import About
from vidattn.export.exported import is_exported
from vidattn.export.graphs import DetectionGraph, FeatureGraph, Graph, ProbabilityGraph
from vidattn.export.onnx_file import OPSET, OPSETS
from vidattn.export.write import Written, check_file, multiples, write_exported
from vidattn.mistakes import Mistake
from vidattn.models.network import Network, NetworkConfig
from vidattn.models.normalize import Normalize
from vidattn.preprocessing import Preprocessing, SamplingRule
from vidattn.public import public_path
from vidattn.quantization.kinds import kind_named

ABOUT = """\
Write a network as one file that other programs run: uint8 clips (batch, 3, frames, height, width) in,
probabilities of named classes out. Normalisation is in the graph; class names, sampling and size stand in the
file's metadata. What was written is run on clips of three other batch sizes; where its answers differ from the
network's by more than 1e-4, nothing is left behind."""

EXAMPLES = """\
examples:
  vidattn export outputs/run_0 model.onnx
  vidattn export best.ckpt model.pt2 --dynamic frames,size
  vidattn export best.ckpt features.onnx --task features
  vidattn classify clip.mp4 --weights model.onnx
  vidattn export --table export.csv   (what can be exported, tried part by part)"""


def export(words: list[str]) -> None:
    """`vidattn export`, with the words behind it."""
    parser = _parser()
    options = parser.parse_args(words)
    if options.table is not None:
        if options.source is not None:
            parser.error("--table stands alone: it tries networks of its own")
        from vidattn.export.table import write_table

        write_table(options.table)
        return
    if options.source is None or options.out is None:
        parser.error("wanted SOURCE and OUT, as in: vidattn export best.ckpt model.onnx")
    out = Path(options.out)
    if is_exported(options.source):
        raise Mistake(f"{options.source}: an exported file already; give the checkpoint that it was made of")
    check_file(out, options.opset)
    asked = [name.strip() for name in options.dynamic.split(",") if name.strip()]
    graph, about = _detector(options, asked) if _detects(options) else _network(options, asked)
    for note in about.notes:
        print(f"vidattn export: {note}", file=sys.stderr)
    print(said(write_exported(graph, about, out, options.opset)))


def said(written: Written) -> str:
    """What a file is, in a line, and how far its answers are from the network's."""
    about = written.about
    opened = ", ".join(["batch", *about.dynamic])
    opset = "" if about.opset is None else f", opset {about.opset}"
    size = written.file.stat().st_size / 1e6
    return (
        f"wrote {written.file}: {about.scheme}, {about.task}, clips of {about.clip} (open: {opened}){opset}, "
        f"{size:.1f} MB; run on three batches, its answers differ by at most {written.difference:.1e}"
    )


def _detects(options: Namespace) -> bool:
    """Whether the source holds a detector and that is what is wanted; options decide where they say something."""
    if options.task != "detect" and options.task is not None:
        return False
    return options.task == "detect" or bool(read_checkpoint(options.source).detector)


def _network(options: Namespace, asked: list[str]) -> tuple[Graph, About]:
    model, preparation = load_prepared(options.source, None, options.image_size, 1, 1)
    if model.quantization is not None and (reason := kind_named(model.quantization.kind).not_exported):
        raise Mistake(f"{options.source}: a network quantised to {model.quantization.kind} is not exported: {reason}")
    network, several = model.network, model.preprocessing.multi_label
    normalize = Normalize(preparation.mean, preparation.std)
    if options.task == "features":
        assert isinstance(network, Network)  # as all that is loaded
        graph: Graph = FeatureGraph(network, normalize)
    elif model.head_is_fresh and model.is_detector:
        raise Mistake(
            f"{options.source}: a detector of actions, whose decoder is not exported; vidattn detect answers with it; "
            "export its network alone: --task features"
        )
    elif model.head_is_fresh:
        raise Mistake(
            f"{options.source}: has no head, so no answers; train one (vidattn fit --model.weights "
            f"{options.source}), or export what it knows: --task features"
        )
    else:
        graph = ProbabilityGraph(network, normalize, model.probabilities)
    names, assumed = names_for(model.config.num_classes, model.class_names, None)
    about = _about(graph, model.config, preparation, names, asked)
    return graph, replace(
        about,
        preprocessing=replace(about.preprocessing, multi_label=several),
        notes=[*model.report, *about.notes, *assumed],
        licence=model.licence,
        calibration=model.calibration if options.task != "features" else Calibration(),
    )


def _detector(options: Namespace, asked: list[str]) -> tuple[Graph, About]:
    if options.image_size is not None:
        raise Mistake(f"--image-size {options.image_size}: a detector is exported at the size that it was trained for")
    detector = Detector.from_pretrained(options.source, device="cpu")
    graph = DetectionGraph(detector.network, detector.normalize, detector.decoder, detector.actions)
    about = _about(graph, detector.network.config, detector.preparation, detector.class_names, asked)
    return graph, replace(about, num_classes=detector.decoder.num_actions)


def _about(
    graph: Graph, config: NetworkConfig, preparation: Preparation, class_names: Sequence[str], asked: list[str]
) -> About:
    rule = preparation.sampling
    preprocessing = Preprocessing(
        SamplingRule(public_path(type(rule)), asdict(rule)),  # type: ignore[call-overload]
        preparation.image_size,
        preparation.mean,
        preparation.std,
        preparation.short_side,
        "up" if preparation.rounding(0.5) else "down",
    )
    return About(
        graph.task,
        list(class_names),
        preprocessing,
        config.title,
        rule.num_frames,
        preparation.image_size,
        preparation.image_size,
        config.num_classes,
        {},
        multiples(config, asked),
        config.has_time,
        notes=list(preparation.assumed),
    )


def _parser() -> Parser:
    parser = Parser(
        prog="vidattn export",
        formatter_class=argparse.RawDescriptionHelpFormatter,  # examples that can be copied
        description=ABOUT,
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add("source", nargs="?", help="a folder, a file, a run, or an id on the Hugging Face hub")
    add("out", nargs="?", help="the file to write: .onnx, or .pt2 (torch.export)")
    add("--dynamic", default="", metavar="AXES", help="what is open beside the batch: frames, size, or frames,size")
    add(
        "--task",
        choices=["classify", "features", "detect"],
        help="probabilities of classes, the vector before the head, or boxes with scores; the source's by default",
    )
    add("--image-size", type=int, metavar="PIXELS", help="side of the clips; the checkpoint's by default")
    add("--opset", type=int, help=f"of ONNX, {OPSETS[0]} to {OPSETS[-1]}; {OPSET} by default")
    add("--table", type=Path, metavar="FILE.csv", help="try every scheme, image block, preset, read-out and task")
    return parser
