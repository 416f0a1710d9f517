"""The files that `vidattn classify` writes."""

import json
from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from vidattn.classify.prediction import Predictions
from vidattn.classify.show.page import list_html, page_html
from vidattn.classify.sources import Skipped
from vidattn.classify.timeline import write_segments
from vidattn.commands.output_files import check_output, write_output


def check_answer_files(options: Namespace) -> None:
    """Say before anything runs that a file could not be written.

    Raises:
        Mistake: it could not, or its name ends in something else than its kind.
    """
    for file, ending in ((options.csv, ".csv"), (options.json, ".json"), (options.save_html, ".html")):
        check_output(file, ending)


def write_files(done: Sequence[Any], skipped: Sequence[Skipped], options: Namespace, console: Console) -> bool:
    """Write the files that are asked for and say their names; whether all could be. One that cannot is said instead.

    The page is the last, for its charts take long, and an interrupt leaves it out.
    """
    writers = ((options.csv, _write_csv), (options.json, _write_json), (options.save_html, _write_html))
    files = [(file, partial(write, done=done, skipped=skipped, options=options)) for file, write in writers]
    return write_output("vidattn classify", files, lambda line: console.print(Text(line)))


def _write_csv(file: Path, done: Sequence[Any], skipped: Sequence[Skipped], options: Namespace) -> None:
    if options.timeline:
        write_segments(file, done)
    else:
        Predictions(done, skipped).save(file, options.top)


def _write_json(file: Path, done: Sequence[Any], skipped: Sequence[Skipped], options: Namespace) -> None:
    rows = [answer.to_dict(options.top) for answer in done]
    rows += [{"path": path, "error": reason} for path, reason in skipped]
    file.write_text(json.dumps(rows, indent=2) + "\n")


def _write_html(file: Path, done: Sequence[Any], skipped: Sequence[Skipped], options: Namespace) -> None:
    cards = [answer.to_html() if options.timeline else answer.to_html(options.top) for answer in done]
    page = page_html(f"Answers of {options.weights}", [list_html(cards, skipped)])
    file.write_text(page, encoding="utf-8")
