"""`vidattn classify SOURCE --live`: an answer a line, while a camera or a pipe sends."""

import json
import sys
from argparse import Namespace

from rich.console import Console
from rich.text import Text

from vidattn.classify.classifier import Classifier
from vidattn.data.readers.live_frames import Source
from vidattn.mistakes import Mistake
from vidattn.wording import counted, printable

PIPE = "-"
"""The source that stands for what is piped in."""


def check_live(options: Namespace) -> None:
    """Say before anything runs that options do not fit a stream, or one of its kind is given without `--live`.

    Raises:
        ValueError: they do not.
    """
    if not options.live:
        for name in ("json_lines", "input_format"):
            if getattr(options, name):
                raise Mistake(f"--{name.replace('_', '-')} is for --live; add it")
        if PIPE in options.files:
            raise Mistake("- is what is piped in, which comes once: add --live, or write it to a file and give that")
        return
    if len(options.files) != 1:
        raise Mistake(f"--live is about one source, and {len(options.files)} are given; start a command for each")
    for name in ("timeline", "csv", "json", "save_html"):
        if getattr(options, name):
            raise Mistake(
                f"--{name.replace('_', '-')} is not for --live, whose answers are printed as they come; leave it out "
                "(--json-lines > FILE keeps them)"
            )
    if options.num_clips != 1:
        raise Mistake(f"--num-clips {options.num_clips} is not for --live, whose windows are clips; leave it out")
    if options.reader != "pyav":
        raise Mistake(f"--reader {options.reader} is not for --live, which PyAV decodes; leave it out")


def classify_live(classifier: Classifier, options: Namespace, console: Console) -> None:
    """Print answers until the stream ends, nobody reads on, or Ctrl-C; how much was dropped goes to stderr at the end.

    Raises:
        VideoDecodeError: the source cannot be opened, breaks off, or ends before the first answer.
    """
    source: Source = sys.stdin.buffer if options.files[0] == PIPE else options.files[0]
    answered = 0
    with classifier.live(source, options.step, options.window, format=options.input_format) as live:
        for note in live.notes:
            print(f"vidattn classify: {printable(note)}", file=sys.stderr)
        try:
            for answer in live:
                line = json.dumps(answer.to_dict(options.top)) if options.json_lines else answer.line(options.top)
                console.print(Text(line), soft_wrap=True)
                answered += 1
                if console.quiet:
                    break
        finally:
            ring = live.ring
            lost = f"{counted(ring.dropped, 'frame')} dropped, {counted(ring.skipped, 'answer')} left out"
            print(
                f"vidattn classify: {counted(answered, 'answer')} about {counted(ring.frames, 'frame')}; {lost}",
                file=sys.stderr,
            )
    if console.quiet:
        sys.exit(128 + 13)  # as SIGPIPE would end it
