"""`vidattn classify`: the classifier in the shell."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from vidattn.classify.classifier import Classifier
from vidattn.classify.prediction import Prediction
from vidattn.classify.sources import Expanded, One, Skipped, expand, name_of
from vidattn.classify.timeline import Timeline, TimelineInterrupted
from vidattn.commands.classify_files import check_answer_files, write_files
from vidattn.commands.classify_live import check_live, classify_live
from vidattn.commands.ending import Ended, sigterm_interrupts
from vidattn.commands.options import Parser
from vidattn.commands.video_options import add_video_options, video_arguments
from vidattn.data.errors import VideoDecodeError
from vidattn.mistakes import Mistake


def classify(words: list[str]) -> None:
    """Classify what the words name, show a table for each video as it comes, and write the files that are asked for.

    Leaves with status 1 where some video could not be read or a file not be written, 2 where nothing could be done, and
    130 after Ctrl-C, 143 after SIGTERM (the answers so far are written).
    """
    options = _parser().parse_args(words)
    with sigterm_interrupts() as ended:
        _classify(options, ended)


def _classify(options: Namespace, ended: Ended) -> None:
    console = AnswerConsole(soft_wrap=not sys.stdout.isatty())  # no lines broken where a program reads them
    try:
        _check(options)
        found = Expanded([], True, []) if options.live else expand(options.files)
        if not found.videos and not options.live:
            raise VideoDecodeError(*found.skipped[0])
        classifier = Classifier.from_pretrained(
            options.weights,
            compile=options.compile,
            class_names=options.class_names,
            **video_arguments(options),
        )
        if options.live:
            return classify_live(classifier, options, console)
        answers = _timelines(classifier, found.videos, options) if options.timeline else classifier.stream(found.videos)
        done, skipped, end = _show(answers, len(found.videos), options, console)
        skipped = [*found.skipped, *skipped]
        complete = write_files(done, skipped, options, console)
        if isinstance(end, Exception):
            raise end
    except KeyboardInterrupt:
        print(f"vidattn classify: {ended.word}", file=sys.stderr)
        sys.exit(ended.status)
    for path, reason in skipped:
        print(f"vidattn classify: {path}: {reason}", file=sys.stderr)
    if end is not None:
        within = isinstance(end, TimelineInterrupted)
        more = f" and {end}" if within else ""
        print(
            f"vidattn classify: {ended.word} after {len(done) - within} of {len(found.videos)} videos{more}",
            file=sys.stderr,
        )
        sys.exit(ended.status)
    if skipped or not complete:
        sys.exit(1 if done else 2)


class AnswerConsole(Console):
    """A terminal that may go away (`| head -1`): it is `quiet` from then on, and the files are still to be written."""

    def on_broken_pipe(self) -> None:
        """Go on without it; rich would end the program, with status 1."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still holds for it


def _show(
    answers: Iterator[Any], count: int, options: Namespace, console: Console
) -> tuple[Any, list[Skipped], BaseException | None]:
    """Print each answer when it comes; all of them, what could not be read, and what broke them off before their end.

    What breaks them off before the first is raised. Leaves with status 141 where nobody reads and no file is wanted.
    """
    done, skipped = [], []
    with Progress(console=console, transient=True, disable=count < 2 or not console.is_terminal) as progress:
        try:
            for answer in progress.track(answers, total=count, description="Classifying"):
                if isinstance(answer, Skipped):
                    skipped.append(answer)
                    continue
                done.append(answer)
                console.print(answer.table(options.top) if isinstance(answer, Prediction) else answer)
                if console.quiet and not any((options.csv, options.json, options.save_html)):
                    sys.exit(128 + 13)  # nobody reads on: as SIGPIPE would end it
        except (KeyboardInterrupt, Exception) as end:
            if not done:
                raise
            return done, skipped, end
    return done, skipped, None


def _timelines(classifier: Classifier, videos: Sequence[One], options: Namespace) -> Iterator[Timeline | Skipped]:
    for video in videos:
        try:
            # One bar at a time: for one video its own.
            yield classifier.timeline(
                video, options.window, options.step, progress=len(videos) == 1 and sys.stdout.isatty()
            )
        except VideoDecodeError as error:
            yield Skipped(name_of(video), error.reason)
        except TimelineInterrupted as end:
            yield end.timeline
            raise


def _check(options: Namespace) -> None:
    """Say before anything runs that a file could not be written, or that options do not fit."""
    check_answer_files(options)
    check_live(options)
    if options.top < 1:
        raise Mistake(f"--top {options.top}: wanted at least one class to show")
    if not (options.timeline or options.live) and (options.window, options.step) != (None, None):
        raise Mistake("--window and --step are for --timeline, and for --live; add one")
    if options.timeline and options.num_clips != 1:
        raise Mistake(f"--num-clips {options.num_clips} is not for --timeline, whose windows are clips; leave it out")
    if options.timeline and options.reader != "pyav":
        raise Mistake(
            f"--reader {options.reader} is not for --timeline, which PyAV decodes from end to end; leave it out"
        )


def _parser() -> Parser:
    parser = Parser(
        "vidattn classify",
        description="What is happening in these videos? A table for each.",
        epilog="status: 0 all answered, 1 some video could not be read or a file not be written, "
        "2 nothing could be done, 130 interrupted, 143 terminated",
    )
    add_video_options(parser)
    add = parser.add_argument
    add("--timeline", action="store_true", help="what happens when: windows that slide over each video")
    add("--live", action="store_true", help="what happens now: FILE is a camera, an address, or - for what is piped in")
    add("--window", type=float, metavar="SECONDS", help="of a timeline or a stream; as long as a clip in training")
    add("--step", type=float, metavar="SECONDS", help="from window to window; half a window by default")
    add("--csv", type=Path, metavar="FILE", help="write the answers, a line for each video or segment")
    add("--json", type=Path, metavar="FILE", help="write the answers with all that is known")
    add("--save-html", type=Path, metavar="FILE", help="write a page that stands alone, for any browser")
    add("--top", type=int, default=5, help="how many classes to show; 5 by default")
    add("--class-names", metavar="FILE", help="a name on each line, for a checkpoint that names no classes")
    add("--json-lines", action="store_true", help="with --live: each answer as a line of JSON")
    add("--input-format", metavar="NAME", help="with --live: FFmpeg's name of what the source sends, such as h264")
    add("--compile", action="store_true", help="torch.compile: slow at first, faster after")
    return parser
