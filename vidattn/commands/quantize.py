"""`vidattn quantize`: a network made small, and a table of what that costs."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import torch
from safetensors import SafetensorError
from torch import Tensor

from vidattn.checkpoints.files import CONFIG
from vidattn.checkpoints.loading import load
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checks import check_positive
from vidattn.classify.listed_views import listed_views
from vidattn.classify.preparation import Preparation
from vidattn.classify.video_runner import load_prepared
from vidattn.commands.options import Parser, refuse
from vidattn.data.readers import READERS
from vidattn.data.videos.manifest import read_manifest
from vidattn.data.videos.shards import refuse_shards
from vidattn.export.exported import is_exported
from vidattn.mistakes import Mistake
from vidattn.quantization.kinds import KINDS, kind_named
from vidattn.quantization.layer import QuantizedLinear, Range
from vidattn.quantization.ranges import Clip, measured_ranges
from vidattn.quantization.recipe import Quantization, chosen_layers, num_weights, quantize as made_small
from vidattn.quantization.rounding import torchao
from vidattn.wording import counted
from vidattn.writable import check_place, make_folder, put_in_place, writing

ABOUT = """\
Keep the weights of linear layers in few bits. What is written is read by all that reads checkpoints
(vidattn test, classify, load, ...), with class names, sampling and calibration as they were. The head
stays in floating point, and so do norms, softmax and patches.

  int8          weights by row and activations by token in 8 bits, rounded as they come
  int8-static   the same with ranges of activations that were measured on clips: --calibrate
  int8-weights  weights in 8 bits, activations as they are
  int4-weights  weights in 4 bits, activations as they are
  fp8           weights and activations in e4m3; attention weighs its values in it too"""

EXAMPLES = """\
examples:
  vidattn quantize outputs/run_0 small.safetensors --to int8
  vidattn quantize best.ckpt small --to int8-static --calibrate train.csv --skip 'blocks.0.*' '*.mlp.fc2'
  vidattn classify clip.mp4 --weights small.safetensors
  vidattn quantize best.ckpt --table test.csv --calibrate train.csv --csv quantized.csv"""

ENDING = ".safetensors"


def quantize(words: list[str]) -> None:
    """`vidattn quantize`, with the words behind it."""
    parser = _parser()
    options = parser.parse_args(words)
    if options.table is not None:
        refuse(parser, options, ("out", "to"), "has no meaning with --table, which tries every kind")
        from vidattn.commands.quantize_table import write_table

        write_table(options)
        return
    if options.out is None or options.to is None:
        parser.error("wanted SOURCE, OUT and --to, as in: vidattn quantize best.ckpt small.safetensors --to int8")
    kind, out = kind_named(options.to), Path(options.out)
    check_positive(clips=options.clips)
    check_kind(options.to, kind, options.calibrate, options.clip)
    _check_out(out, options.overwrite)
    model, preparation = source_of(options.source)
    layers = chosen_layers(model.network, options.skip)
    clips, ranges = 0, None
    if kind.needs_ranges:
        views = list(clips_of(options.calibrate, preparation, options.reader, options.clips))
        clips = len(views)
        batches = (model.normalize(torch.stack(views[at : at + 8])) for at in range(0, clips, 8))
        ranges = measured_ranges(model.network, layers, batches, options.clip or "percentile")
    large = 4 * num_weights(model.network)
    clip = (options.clip or "percentile") if kind.needs_ranges else ""
    model.quantization = Quantization(options.to, tuple(layers), clip, clips)
    model.report.append(f"quantised: {counted(len(layers), 'linear layer')} to {options.to}; the rest is fp32")
    with torch.no_grad():
        _written(model, model.quantization, ranges, out)
    size = (out if out.suffix == ENDING else out / f"model{ENDING}").stat().st_size
    measured = f", ranges of {counted(clips, 'clip')} ({clip})" if clips else ""
    print(
        f"wrote {out}: {options.to}, {counted(len(layers), 'linear layer')}{measured}, {size / 1e6:.2f} MB, "
        f"{size / large:.3f} of fp32's; {kind.how(torch.device('cpu'))}"
    )


def check_kind(name: str, kind: type[QuantizedLinear], videos: str | None, clip: str | None) -> None:
    """Raise unless a network can be made of this kind here, before any work.

    Raises:
        ValueError: it is to be calibrated and there are no videos, or the other way round; or torchao is missing.
    """
    if kind.needs_ranges and videos is None:
        raise Mistake(
            f"--to {name} rounds activations by ranges that are measured: give videos of the kind that it will see, "
            "some hundred clips, --calibrate VIDEOS (a folder or a list); --to int8 needs none"
        )
    if not kind.needs_ranges and videos is not None:
        raise Mistake(f"--calibrate {videos}: {name} measures no ranges; leave it out, or take --to int8-static")
    if not kind.needs_ranges and clip is not None:
        raise Mistake(f"--clip {clip}: {name} measures no ranges; leave it out, or take --to int8-static")
    if kind.needs_torchao:
        torchao()


def source_of(source: str) -> tuple[Pretrained, Preparation]:
    """A network in floating point that answers, and what it is to be shown.

    Raises:
        ValueError: it is exported, quantised, a detector, or has no head.
    """
    if is_exported(source):
        raise Mistake(f"{source}: an exported file; give the checkpoint that it was made of")
    model, preparation = load_prepared(source, None, None, 1, 1)
    if model.quantization is not None:
        raise Mistake(
            f"{source}: quantised already, to {model.quantization.kind}; give the checkpoint that it was made of"
        )
    if model.head_is_fresh and model.is_detector:
        raise Mistake(
            f"{source}: a detector of actions, whose decoder is not quantised; give a network that classifies"
        )
    if model.head_is_fresh:
        raise Mistake(f"{source}: has no head, so no answers to keep; train one: vidattn fit --model.weights {source}")
    return model, preparation


def clips_of(videos: str, preparation: Preparation, reader: str, most: int) -> Iterator[Tensor]:
    """uint8 clips `(3, T, S, S)` of videos, up to so many, and of each video one.

    Raises:
        ValueError: there are no videos, or none of them can be read.
    """
    refuse_shards(videos)
    listed = read_manifest(videos).videos
    step = max(1, len(listed) // most)  # all over the list, which may be sorted by class
    found = 0
    for batch in listed_views(listed[::step][:most], preparation, reader, 8):
        ids = batch["video_id"]
        for place in range(len(ids)):
            if place == 0 or ids[place] != ids[place - 1]:
                found += 1
                yield batch["video"][place]
    if not found:
        raise Mistake(f"{videos}: none of its videos could be read; vidattn check {videos} tells why")


def _check_out(out: Path, overwrite: bool) -> None:
    """
    Raises:
        ValueError: something stands there, or it cannot be written to.
    """
    file = out.suffix == ENDING
    if not file and out.suffix in (".ckpt", ".pt", ".pth", ".bin", ".pt2", ".onnx"):
        raise Mistake(f"{out}: wanted a name that ends in {ENDING}, or that of a folder")
    if (out if file else out / CONFIG).exists() and not overwrite:
        raise Mistake(f"{out} {'is there' if file else 'holds a model'} already; name another, or add --overwrite")
    check_place(out, folder=not file)


def _written(model: Pretrained, quantization: Quantization, ranges: dict[str, Range] | None, out: Path) -> None:
    """Make the network small and write it; what was written is read again, and answers as the network does.

    Raises:
        ValueError: it cannot be written, or answers otherwise.
    """
    made_small(model.network, quantization, ranges)
    try:
        with writing(out):
            if out.suffix == ENDING:
                make_folder(out.parent)
                with put_in_place(out) as part:
                    model.save_weights(part)
            else:
                (out / "README.md").unlink(missing_ok=True)  # of a model that was there
                model.save_pretrained(out)
    except SafetensorError as error:
        raise Mistake(f"{out}: cannot write it ({error}); name another place, or make room") from error
    clip = torch.randint(256, (1, 3, model.config.num_frames, *model.config.size), dtype=torch.uint8)
    if not torch.equal(load(out)(clip), model.eval()(clip)):
        raise Mistake(f"{out}: answers otherwise than the network that was written; write it again, or tell us")


def _parser() -> Parser:
    parser = Parser(
        prog="vidattn quantize",
        formatter_class=argparse.RawDescriptionHelpFormatter,  # examples that can be copied
        description=ABOUT,
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add("source", help="a folder, a file, a run, or an id on the Hugging Face hub")
    add("out", nargs="?", help=f"the file to write, which ends in {ENDING}, or else a folder")
    add("--to", metavar="KIND", help=f"one of {', '.join(KINDS)}")
    add("--skip", nargs="+", default=[], metavar="PATTERN", help="layers to leave as they are, such as 'blocks.0.*'")
    add("--calibrate", metavar="VIDEOS", help="a folder or a list of videos of the kind that it will see")
    add("--clip", choices=get_args(Clip), help="ranges: the extremes, or without 0.1%% at both ends, the default")
    add("--clips", type=int, default=256, help="clips to calibrate on, one of a video; 256 by default")
    add("--reader", choices=READERS, default="pyav", help="decoder of files; pyav by default")
    add("--table", metavar="LIST", help="labelled videos: try every kind on them, and write no network")
    add("--csv", type=Path, default=Path("quantized.csv"), metavar="FILE.csv", help="of the table, and its picture")
    add("--batch", nargs="+", type=int, default=[1, 8], metavar="SIZE", help="clips that the table times together")
    add("--overwrite", action="store_true", help="also if there is something already")
    return parser
