"""`vidattn detect`: who does what, where, in the shell."""

import sys
from argparse import Namespace
from pathlib import Path

from rich.text import Text

from vidattn.classify.detector import Detector
from vidattn.classify.sources import expand, name_of
from vidattn.classify.video_detections import VideoDetections
from vidattn.commands.classify import AnswerConsole
from vidattn.commands.detect_files import check_files, write_lists, write_pictures
from vidattn.commands.ending import Ended, sigterm_interrupts
from vidattn.commands.options import Parser
from vidattn.data.errors import VideoDecodeError
from vidattn.tables import rich_table
from vidattn.wording import printable


def detect(words: list[str]) -> None:
    """Look through the videos that the words name, show a table of tubes for each, and write what is asked for.

    Leaves with status 1 where some video could not be read or a file not be written, 2 where nothing could be done, and
    130 after Ctrl-C, 143 after SIGTERM (what was found so far is written).
    """
    options = _parser().parse_args(words)
    with sigterm_interrupts() as ended:
        _detect(options, ended)


def _detect(options: Namespace, ended: Ended) -> None:
    done: list[VideoDetections] = []
    skipped: list[tuple[str, str]] = []
    interrupted, complete = False, True
    try:
        found = expand(options.files)
        if not found.videos:
            raise VideoDecodeError(*found.skipped[0])
        check_files(options, found.videos)
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
            complete &= write_pictures(options, video, len(found.videos), done[-1], detector)
    except KeyboardInterrupt:
        interrupted = True
    for path, reason in skipped:
        print(f"vidattn detect: {path}: {reason}", file=sys.stderr)
    if done or skipped:
        complete &= write_lists(options, done, skipped)
    if interrupted:
        print(f"vidattn detect: {ended.word} after {len(done)} videos", file=sys.stderr)
        sys.exit(ended.status)
    if skipped or not complete:
        sys.exit(1 if done else 2)


def _show(found: VideoDetections) -> None:
    console = AnswerConsole(soft_wrap=not sys.stdout.isatty(), markup=False, emoji=False)
    rows = [
        {"action": row["action"], "score": f"{row['score']:.0%}", "from": f"{row['from']:.2f} s",
         "to": f"{row['to']:.2f} s", "boxes": str(row["boxes"])}
        for row in found.summary()
    ]  # fmt: skip
    if rows:
        console.print(rich_table(rows, found.path))
    else:
        console.print(Text(f"{printable(found.path)}: nobody was found; a lower --least shows what is less sure"))
    for note in found.notes:
        console.print(Text(f"  {note}"))


def _parser() -> Parser:
    parser = Parser(
        "vidattn detect",
        description="Who does what, where, in these videos? A table of tubes for each.",
        epilog="status: 0 all answered, 1 some video could not be read or a file not be written, "
        "2 nothing could be done, 130 interrupted, 143 terminated",
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="VIDEO", help="a video, a folder of videos, or a glob in quotes")
    add("--weights", required=True, metavar="RUN", help="a run of vidattn.ActionDetector, or a checkpoint of one")
    add("--least", type=float, default=0.3, help="score from which something counts; 0.3 by default")
    add("--csv", type=Path, metavar="FILE", help="write the boxes, a line each, as a list that data.boxes.file takes")
    add("--json", type=Path, metavar="FILE", help="write the tubes with their boxes")
    add("--html", type=Path, metavar="FILE", help="write a page that stands alone, for any browser")
    add("--look", type=Path, metavar="FILE", help="draw what the surest queries looked at: .png, .svg or .pdf")
    add("--film", type=Path, metavar="FILE", help="write the video with tubes drawn on it: .mp4, or .gif")
    add("--device", help="cuda or cpu; cuda where there is one by default")
    add("--batch-size", type=int, default=8, help="clips that go through the network together; 8 by default")
    return parser
