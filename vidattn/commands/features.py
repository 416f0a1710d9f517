"""`vidattn features`: a vector of each video, in one file."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from vidattn.classify.feature_extractor import FeatureExtractor
from vidattn.classify.sources import One, Skipped, expand
from vidattn.classify.video_features import VideoFeatures, VideoVector, check_ending
from vidattn.commands.ending import Ended, sigterm_interrupts
from vidattn.commands.kept_features import kept_features, loaded
from vidattn.commands.options import Parser
from vidattn.commands.video_options import add_video_options, video_arguments
from vidattn.data.errors import VideoDecodeError
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake
from vidattn.wording import counted
from vidattn.writable import check_place


def features(words: list[str]) -> None:
    """Write the vectors of the videos that the words name.

    Leaves with status 1 where some video could not be read, 2 where nothing could be done, and 130 after Ctrl-C, 143
    after SIGTERM (the vectors so far are written).
    """
    options = _parser().parse_args(words)
    _check(options)
    with sigterm_interrupts() as ended:
        _features(options, ended)


def _features(options: Namespace, ended: Ended) -> None:
    try:
        found = expand(options.files)
        if not found.videos:
            raise VideoDecodeError(*found.skipped[0])
        vectors = _computed(options, found.videos) if options.store is None else _kept(options, found.videos)
        done, skipped, end = _collected(vectors, len(found.videos))
    except KeyboardInterrupt:
        print(f"vidattn features: {ended.word}", file=sys.stderr)
        sys.exit(ended.status)
    skipped = [*found.skipped, *skipped]
    for path, reason in skipped:
        print(f"vidattn features: {path}: {reason}", file=sys.stderr)
    if done:
        _write(VideoFeatures.of(done), options.out)
    if isinstance(end, Exception):
        raise end
    if end is not None:
        print(f"vidattn features: {ended.word} after {len(done)} of {len(found.videos)} videos", file=sys.stderr)
        sys.exit(ended.status)
    if skipped:
        sys.exit(1 if done else 2)


def _computed(options: Namespace, videos: Sequence[One]) -> Iterator[VideoVector | Skipped]:
    """The vectors while they come."""
    extractor = FeatureExtractor.from_pretrained(options.weights, **video_arguments(options))
    for note in extractor.notes:
        print(f"vidattn features: {note}", file=sys.stderr)
    return extractor.stream(videos)


def _kept(options: Namespace, videos: Sequence[One]) -> Iterator[VideoVector | Skipped]:
    """The vectors out of a store, once those that it lacks are in it."""
    model, preparation = loaded(options, "vidattn features")
    listed = [Video(str(video), None) for video in videos]
    store, unread = kept_features(model, preparation, options, listed)
    reasons = dict(unread)
    for video in listed:
        if video in store:
            yield VideoVector(video.path, store.rows(video).float().mean(0).numpy())
        else:
            yield Skipped(video.path, reasons.get(video.path, "it could not be read"))


def _collected(
    answers: Iterator[VideoVector | Skipped], count: int
) -> tuple[list[VideoVector], list[Skipped], BaseException | None]:
    """The vectors, what could not be read, and what broke them off; what does so before the first is raised."""
    done: list[VideoVector] = []
    skipped: list[Skipped] = []
    console = Console(stderr=True)
    quiet = count < 2 or not console.is_terminal
    try:
        for one in track(answers, "Reading features", count, console=console, transient=True, disable=quiet):
            if isinstance(one, VideoVector):
                done.append(one)
            else:
                skipped.append(one)
    except (KeyboardInterrupt, Exception) as end:
        if not done:
            raise
        return done, skipped, end
    return done, skipped, None


def _write(vectors: VideoFeatures, file: Path) -> None:
    try:
        vectors.save(file)
    except OSError as error:
        raise Mistake(
            f"{file}: cannot write it ({error.strerror or error}); name another place, or make room"
        ) from error
    print(f"wrote {file}: {counted(len(vectors), 'video')}, {vectors.vectors.shape[1]} numbers each")


def _check(options: Namespace) -> None:
    """Say before anything runs that the file could not be written, or would be lost."""
    check_ending(options.out)
    check_place(options.out, folder=False)
    if options.out.exists() and not options.overwrite:
        raise Mistake(f"{options.out} exists already; name another file, or add --overwrite")


def _parser() -> Parser:
    parser = Parser(
        "vidattn features",
        description="A vector of each video: what the network knows of it before its head.",
        epilog="status: 0 all read, 1 some video could not be, 2 nothing could be done, 130 interrupted, "
        "143 terminated. In Python, vidattn.classify.VideoFeatures.load(FILE) gives paths and vectors back, and "
        "its to_dataframe() a pandas table.",
    )
    add_video_options(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=".npz: arrays paths and features; .safetensors: features, and paths as JSON in its metadata; "
        ".csv: a line for each video",
    )
    parser.add_argument(
        "--store", metavar="FOLDER", help="keep features of every view there, and read those that are, as vidattn probe"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that decode for a store; 1 by default")
    parser.add_argument("--overwrite", action="store_true", help="also if there is such a file")
    return parser
