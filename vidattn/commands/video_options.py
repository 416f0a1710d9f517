"""Options of the commands that ask a network about videos."""

from argparse import Namespace
from typing import Any

from vidattn.commands.options import Parser
from vidattn.data.readers import READERS


def add_video_options(parser: Parser) -> None:
    """The videos, the weights, which clips the network sees, and where and how it runs."""
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="a video, a folder of videos, or a glob in quotes")
    add(
        "--weights",
        required=True,
        metavar="SOURCE",
        help="a folder, a file, a run or an id on the hub, as for vidattn.load; or an exported .onnx or .pt2",
    )
    add_network_options(parser)


def add_network_options(parser: Parser) -> None:
    """Which clips the network sees, and where and how it runs."""
    add = parser.add_argument
    add(
        "--num-clips",
        type=int,
        default=1,
        help="clips of a video, evenly over time, whose mean is taken; 1 by default",
    )
    add("--num-crops", type=int, default=1, help="crops of each clip; 1 by default, papers take 3")
    add("--image-size", type=int, metavar="PIXELS", help="side of the crops; the checkpoint's by default")
    add("--device", help="cuda or cpu; cuda where there is one by default")
    add("--precision", choices=["fp32", "bf16"], default="fp32", help="bf16: half the memory, less exact")
    add("--batch-size", type=int, default=8, help="clips that go through the network together; 8 by default")
    add("--reader", choices=READERS, default="pyav", help="decoder of files; pyav by default")


def video_arguments(options: Namespace) -> dict[str, Any]:
    """What these options say, as arguments of `from_pretrained`."""
    names = ("device", "precision", "image_size", "num_clips", "num_crops", "batch_size", "reader")
    return {name: getattr(options, name) for name in names}
