"""`vidattn detect`: who does what, where, in the shell."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from vidattn.classify.detector import Detector
from vidattn.classify.show.film import check_film, write_film
from vidattn.classify.sources import One, expand, name_of
from vidattn.classify.video_detections import VideoDetections, write_csv, write_json
from vidattn.commands.classify import AnswerConsole
from vidattn.commands.ending import Ended, sigterm_interrupts
from vidattn.commands.options import Parser
from vidattn.data.errors import VideoDecodeError
from vidattn.mistakes import Mistake
from vidattn.tables import rich_table
from vidattn.writable import check_place


def detect(words: list[str]) -> None:
    """Look through the videos that the words name, show a table of tubes for each, and write what is asked for.

    Leaves with status 1 where some video could not be read, 2 where nothing could be done, and 130 after Ctrl-C, 143
    after SIGTERM (what was found so far is written).
    """
    options = _parser().parse_args(words)
    with sigterm_interrupts() as ended:
        _detect(options, ended)


def _detect(options: Namespace, ended: Ended) -> None:
    done: list[VideoDetections] = []
    skipped: list[tuple[str, str]] = []
    interrupted = False
    try:
        found = expand(options.files)
        if not found.videos:
            raise VideoDecodeError(*found.skipped[0])
        _check(options, found.videos)
        skipped += found.skipped
        detector = Detector.from_pretrained(
            options.weights, device=options.device, batch_size=options.batch_size, least=options.least
        )
        for note in detector.preparation.assumed:
            print(f"vidattn detect: {note}", file=sys.stderr)
        for video in found.videos:
            try:
                done.append(detector(video))
            except VideoDecodeError as error:
                skipped.append((name_of(video), error.reason))
                continue
            _show(done[-1])
            if options.film:
                film = _film_of(options.film, video, len(found.videos))
                write_film(film, video, done[-1])
                print(f"wrote {film}")
    except KeyboardInterrupt:
        interrupted = True
    for path, reason in skipped:
        print(f"vidattn detect: {path}: {reason}", file=sys.stderr)
    _write(options, done, skipped)
    if interrupted:
        print(f"vidattn detect: {ended.word} after {len(done)} videos", file=sys.stderr)
        sys.exit(ended.status)
    if skipped:
        sys.exit(1 if done else 2)


def _show(found: VideoDetections) -> None:
    console = AnswerConsole(soft_wrap=not sys.stdout.isatty())
    rows = [
        {"action": row["action"], "score": f"{row['score']:.0%}", "from": f"{row['from']:.2f} s",
         "to": f"{row['to']:.2f} s", "boxes": str(row["boxes"])}
        for row in found.summary()
    ]  # fmt: skip
    if rows:
        console.print(rich_table(rows, found.path))
    else:
        console.print(f"{found.path}: nobody was found; a lower --least shows what is less sure")
    for note in found.notes:
        console.print(f"  {note}")


def _write(options: Namespace, done: Sequence[VideoDetections], skipped: Sequence[tuple[str, str]]) -> None:
    if options.csv and done:
        write_csv(options.csv, done)
        print(f"wrote {options.csv}")
    if options.json and (done or skipped):
        write_json(options.json, done, skipped)
        print(f"wrote {options.json}")


def _film_of(film: Path, video: One, count: int) -> Path:
    """The file itself for a single video; for several one beside it with the video's name."""
    return film if count == 1 else film.with_name(f"{film.stem}-{Path(str(video)).stem}{film.suffix}")


def _check(options: Namespace, videos: Sequence[One]) -> None:
    """Say before anything runs that a file could not be written, or would be written twice.

    Raises:
        Mistake: it could not.
    """
    for file, ending in ((options.csv, ".csv"), (options.json, ".json")):
        if file is not None and file.suffix != ending:
            raise Mistake(f"{file}: wanted a name that ends in {ending}")
    if options.film:
        check_film(options.film)
        films = [_film_of(options.film, video, len(videos)) for video in videos]
        if twice := next((film for film in films if films.count(film) > 1), None):
            raise Mistake(f"{twice}: would be the film of several videos of this name; detect them one by one")
    for file in (options.csv, options.json, options.film):
        if file is not None:
            check_place(file, folder=False)


def _parser() -> Parser:
    parser = Parser(
        "vidattn detect",
        description="Who does what, where, in these videos? A table of tubes for each.",
        epilog="status: 0 all answered, 1 some video could not be read, 2 nothing could be done, 130 interrupted, "
        "143 terminated",
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="VIDEO", help="a video, a folder of videos, or a glob in quotes")
    add("--weights", required=True, metavar="RUN", help="a run of vidattn.ActionDetector, or a checkpoint of one")
    add("--least", type=float, default=0.3, help="score from which something counts; 0.3 by default")
    add("--csv", type=Path, metavar="FILE", help="write the boxes, a line each, as a list that data.boxes.file takes")
    add("--json", type=Path, metavar="FILE", help="write the tubes with their boxes")
    add("--film", type=Path, metavar="FILE", help="write the video with tubes drawn on it: .mp4, or .gif")
    add("--device", help="cuda or cpu; cuda where there is one by default")
    add("--batch-size", type=int, default=8, help="clips that go through the network together; 8 by default")
    return parser
