"""`vidattn similar`: which videos look most like this one to a network."""

import sys
from argparse import ArgumentDefaultsHelpFormatter
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from vidattn.checks import check_positive
from vidattn.commands.kept_features import add_feature_options, check_feature_options, kept_features, loaded
from vidattn.commands.options import Parser
from vidattn.console import plain_console
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video
from vidattn.data.videos.manifest import Video, read_manifest
from vidattn.data.videos.shards import refuse_shards
from vidattn.mistakes import Mistake
from vidattn.plots.hits import Hit, plot_hits
from vidattn.probing.store import key_of
from vidattn.tables import rich_table, write_rows
from vidattn.writable import check_place


def similar(words: list[str]) -> None:
    """`vidattn similar`, with the words behind it."""
    options = _parser().parse_args(words)
    check_feature_options(options)
    check_positive(top=options.top)
    for file, ending in ((options.csv, ".csv"), (options.picture, ".png")):
        if file is not None:
            if not file.endswith(ending):
                raise Mistake(f"{file} must end in {ending}")
            check_place(Path(file), folder=False)
    refuse_shards(options.among)
    archive = read_manifest(options.among, options.root).videos
    asked = Video(options.video, None)
    model, preparation = loaded(options, "vidattn similar")
    store, skipped = kept_features(model, preparation, options, [asked, *archive])
    if asked not in store:
        raise VideoDecodeError(options.video, dict(skipped).get(options.video, "it could not be read"))
    for path, reason in skipped:
        print(f"vidattn similar: {path}: {reason}", file=sys.stderr)
    others = [video for video in archive if video in store and key_of(video) != key_of(asked)]
    if not others:
        raise Mistake(f"--among {options.among}: holds no other video that could be read")
    vectors = torch.stack([store.rows(video).float().mean(0) for video in (asked, *others)])
    likeness = F.normalize(vectors, dim=1) @ F.normalize(vectors[0], dim=0)
    order = likeness[1:].topk(min(options.top, len(others))).indices.tolist()
    hits = [(others[place].path, likeness[1 + place].item()) for place in order]
    rows = [
        {"rank": str(rank), "cosine": f"{cosine:.4f}", "video": path} for rank, (path, cosine) in enumerate(hits, 1)
    ]
    console = plain_console()
    console.print(rich_table(rows, f"Most like {options.video}, of {len(others)} videos"))
    if options.csv:
        write_rows(rows, options.csv)
    if options.picture:
        pictures = [Hit(frame_of(options.video), Path(options.video).name, None)]
        pictures += [Hit(frame_of(path), Path(path).name, cosine) for path, cosine in hits]
        plot_hits(pictures).savefig(options.picture, dpi=100)
    if written := [file for file in (options.csv, options.picture) if file]:
        console.print(f"wrote {' and '.join(written)}")


def frame_of(path: str) -> np.ndarray:
    """The middle frame, uint8 `(H, W, 3)`."""
    with open_video(path) as video:
        return video.frames([video.num_frames // 2])[0].numpy()


def _parser() -> Parser:
    parser = Parser(
        prog="vidattn similar",
        description="The videos of an archive that look most like one video to a network: by the cosine of the mean of "
        "their features over all views. Features are computed once and kept, as for vidattn probe.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("video", metavar="VIDEO", help="the video to find others like")
    add("--among", required=True, metavar="LIST", help="the archive: a list or a folder of videos")
    add("--root", help="folder that the list's paths start from; its own by default")
    add("--top", type=int, default=8, help="how many to show")
    add("--csv", metavar="FILE", help="write them as a table")
    add("--picture", metavar="FILE", help="write a .png of their middle frames")
    add_feature_options(parser)
    return parser
