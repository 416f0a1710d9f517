"""Features of a frozen network for the commands that need them: those that a store lacks are computed."""

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.progress import track
from torch import Tensor

from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checks import check_positive
from vidattn.classify.feature_extractor import FeatureExtractor, head_input
from vidattn.classify.listed_views import listed_views
from vidattn.classify.preparation import Preparation
from vidattn.classify.video_runner import load_prepared
from vidattn.commands.options import Parser
from vidattn.data.readers import READERS
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake
from vidattn.models.network import Network
from vidattn.probing.extraction import extract
from vidattn.probing.levels import check_levels, level_tokens, level_vectors
from vidattn.probing.store import FeatureStore, fingerprint
from vidattn.wording import counted

Skipped = tuple[str, str]
"""File and reason."""


def add_feature_options(parser: Parser) -> None:
    """Weights, views, store, and where and how the network runs."""
    add = parser.add_argument
    add(
        "--weights",
        required=True,
        metavar="SOURCE",
        help="a folder, a file, a run or an id on the hub, as for vidattn.load",
    )
    add("--store", default="outputs/features", metavar="FOLDER", help="where features are kept, for all networks")
    add("--num-clips", type=int, default=2, help="clips of a video, evenly over time")
    add("--num-crops", type=int, default=1, help="crops of each clip")
    add("--image-size", type=int, metavar="PIXELS", help="side of the crops; the checkpoint's by default")
    add("--device", help="cuda or cpu; cuda where there is one by default")
    add("--precision", choices=["fp32", "bf16"], default="fp32", help="of the network")
    add("--batch-size", type=int, default=16, help="clips that go through the network together")
    add("--workers", type=int, default=1, help="processes that decode; 0 decodes in this one")
    add("--reader", choices=READERS, default="pyav", help="decoder of files")


def check_feature_options(options: Namespace) -> None:
    """
    Raises:
        ValueError: a number is out of range.
    """
    check_positive(num_clips=options.num_clips, num_crops=options.num_crops, batch_size=options.batch_size)


def loaded(options: Namespace, command: str) -> tuple[Pretrained, Preparation]:
    """The network, and how it sees videos; what was assumed is said."""
    model, preparation = load_prepared(options.weights, None, options.image_size, options.num_clips, options.num_crops)
    for note in [*(line for line in model.report if not line.startswith("head: ")), *preparation.assumed]:
        print(f"{command}: {note}", file=sys.stderr)
    return model, preparation


def backbone(model: Pretrained) -> Network:
    """The network of a checkpoint.

    Raises:
        ValueError: it has no features to read.
    """
    if not isinstance(model.network, Network):
        raise Mistake(f"{type(model.network).__name__} has no features to read; wanted a network of vidattn.models")
    return model.network


class Reading(NamedTuple):
    """What is kept of a view.

    Args:
        name: what the store calls it.
        read: a network and normalised clips `(V, 3, T, S, S)` -> `(V, ...)`.
    """

    name: str
    read: Callable[[Network, Tensor], Tensor]


def _tokens(network: Network, clips: Tensor) -> Tensor:
    return network.features(clips, normalized=True).tokens.half()


VECTORS = Reading("what the head takes, 1", head_input)
"""A vector of each view, `(V, D)`."""

TOKENS = Reading("normed tokens, 1", _tokens)
"""All tokens of each view, `(V, S, D)`, in half precision."""


def of_levels(network: Network, levels: Sequence[int]) -> tuple[Reading, Reading]:
    """`VECTORS` and `TOKENS` of these blocks, counted from 1, in place of the last.

    Raises:
        ValueError: they are no blocks of the network, or it has no levels to join.
    """
    check_levels(network, levels)
    said = f"of blocks {', '.join(map(str, levels))}"

    def vectors(network: Network, clips: Tensor) -> Tensor:
        return level_vectors(network, clips, levels)

    def tokens(network: Network, clips: Tensor) -> Tensor:
        return level_tokens(network, clips, levels).half()

    return Reading(f"{VECTORS.name}, {said}", vectors), Reading(f"{TOKENS.name}, {said}", tokens)


def kept_features(
    model: Pretrained,
    preparation: Preparation,
    options: Namespace,
    videos: Sequence[Video],
    reading: Reading = VECTORS,
) -> tuple[FeatureStore, list[Skipped]]:
    """A store with the features of all videos that could be read, a row for each view; and what could not."""
    store = FeatureStore(options.store, _about(model, preparation, options, reading))
    return store, _fill(store, list(dict.fromkeys(videos)), model, preparation, options, reading)


def _about(model: Pretrained, preparation: Preparation, options: Namespace, reading: Reading) -> dict[str, object]:
    """What decides the features."""
    return {
        "network": model.config.to_dict(),
        "weights": fingerprint(model.network),
        "preparation": repr(preparation.sampling),
        "size": [preparation.image_size, preparation.short_side, preparation.rounding.__name__],
        "pixels": [preparation.mean, preparation.std],
        "views": [preparation.num_clips, preparation.num_crops],
        "reader": options.reader,
        "precision": options.precision,
        "features": reading.name,
    }


def _fill(
    store: FeatureStore,
    videos: Sequence[Video],
    model: Pretrained,
    preparation: Preparation,
    options: Namespace,
    reading: Reading,
) -> list[Skipped]:
    """Compute what the store lacks; file and reason of what could not be read."""
    missing = [video for video in videos if video not in store]
    console = Console(stderr=True)
    console.print(f"features of {len(videos) - len(missing)} of {counted(len(videos), 'video')} are in {store.folder}")
    if not missing:
        return []
    extractor = FeatureExtractor(
        model.network, preparation, options.device, options.precision, options.batch_size, options.reader
    )
    loader = listed_views(missing, preparation, options.reader, options.batch_size, options.workers)
    with store:
        batches = track(loader, "Reading features", console=console, disable=not console.is_terminal)
        return extract(batches, missing, lambda video: extractor.over(video, reading.read), store)
