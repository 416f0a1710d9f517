"""`vidattn convert`: a folder of ours of any checkpoint, also with another scheme, length or size."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from safetensors import SafetensorError

from vidattn.checkpoints.filling import Resize
from vidattn.checkpoints.loading import load
from vidattn.checkpoints.transfer.transfer import Inflation
from vidattn.commands.options import Parser
from vidattn.mistakes import Mistake
from vidattn.writable import check_place


def _image_size(text: str) -> int | tuple[int, int]:
    """`224`, or `56x224`: height and width."""
    height, _, width = text.partition("x")
    return (int(height), int(width)) if width else int(height)


CHANGES: dict[str, Callable[[str], Any]] = {
    "attention": str,
    "num_frames": int,
    "image_size": _image_size,
    "num_classes": int,
    "num_heads": int,
    "tubelet_size": int,
    "position": str,
    "pooling": str,
}
"""Fields of the configuration that an option can change."""

ABOUT = """\
Make a folder (config.json, model.safetensors, model card) of any checkpoint that vidattn.load reads,
and say what was resized, left out, assumed or starts fresh. The folder says it, too."""

EXAMPLES = """\
examples:
  vidattn convert outputs/run_0 --out my-model
  vidattn convert TimeSformer_divST_8x32_224_K400.pyth --out k400-joint --attention joint
  vidattn convert timm/vit_base_patch16_224.augreg_in21k --out inflated --num-frames 16"""


def convert(words: list[str]) -> None:
    """`vidattn convert`, with the words behind it."""
    options = _parser().parse_args(words)
    changes: dict[str, Any] = {name: getattr(options, name) for name in CHANGES if getattr(options, name) is not None}
    out = Path(options.out)
    if (out / "config.json").exists() and not options.overwrite:
        raise Mistake(f"{out} holds a model already; name another folder, or add --overwrite")
    check_place(out, folder=True)
    model = load(
        options.source, resize=options.resize, inflation=options.inflation, revision=options.revision, **changes
    )
    for line in model.report:
        print(line)
    if model.is_detector:
        print("decoder: left out; the folder holds the network alone, and vidattn detect reads the run itself")
    if model.licence:
        print(f"licence: {model.licence}; the model card names it")
    try:
        if options.overwrite:
            (out / "README.md").unlink(missing_ok=True)  # of the model that was there
        model.save_pretrained(out)
    except (OSError, SafetensorError) as error:
        raise Mistake(f"{out}: cannot write it ({error}); name another folder, or make room") from error
    config = model.config
    height, width = config.size
    clip = f"{config.num_frames} frames of {height} x {width}"
    print(f"wrote {out}: {config.title}, {config.num_classes} classes, {clip}; vidattn.load({str(out)!r}) reads it")


def _parser() -> Parser:
    parser = Parser(
        prog="vidattn convert",
        formatter_class=argparse.RawDescriptionHelpFormatter,  # examples that can be copied
        description=ABOUT,
        epilog=EXAMPLES,
    )
    parser.add_argument("source", help="a folder, a file, a run, or an id on the Hugging Face hub")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="the folder to write")
    helps = {
        "attention": "the scheme, as in time+space",
        "image_size": "of the new network, the source's by default: 224, or height and width as 56x224",
        "num_heads": "where the file does not say how many there are",
    }
    for name, kind in CHANGES.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(
            option, type=kind, help=helps.get(name, f"{name} of the new network; the source's by default")
        )
    parser.add_argument(
        "--resize",
        choices=get_args(Resize),
        default="smooth",
        help="tables of positions: bicubic and linear, or TimeSformer's own rules, which reproduce its numbers",
    )
    parser.add_argument(
        "--inflation", choices=get_args(Inflation), default="central", help="how a patch of one frame becomes a tubelet"
    )
    parser.add_argument("--revision", help="branch, tag or commit on the hub")
    parser.add_argument("--overwrite", action="store_true", help="also if the folder holds a model")
    return parser
