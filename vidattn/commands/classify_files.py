"""The files that `vidattn classify` writes."""

import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from vidattn.classify.prediction import Predictions
from vidattn.classify.show.page import list_html, page_html
from vidattn.classify.sources import Skipped
from vidattn.classify.timeline import write_segments
from vidattn.mistakes import Mistake


def check_answer_files(options: Namespace) -> None:
    """Say before anything runs that a file could not be written.

    Raises:
        ValueError: it could not, or its name ends in something else than its kind.
    """
    for file, ending in ((options.csv, ".csv"), (options.json, ".json"), (options.save_html, ".html")):
        if file is None:
            continue
        if file.suffix != ending:
            raise Mistake(f"{file}: wanted a name that ends in {ending}")
        if not file.parent.is_dir():
            raise Mistake(f"{file}: the folder {file.parent} does not exist; make it first")
        if file.is_dir():
            raise Mistake(f"{file}: this is a folder; wanted the name of a file to write")
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise Mistake(f"{file}: may not be written by you; choose another folder, or change its permissions")


def write_files(done: Sequence[Any], skipped: Sequence[Skipped], options: Namespace, console: Console) -> bool:
    """Write the files that are asked for and say their names; whether all could be. One that cannot is said instead.

    The page is the last, for its charts take long, and an interrupt leaves it out.
    """
    files: tuple[tuple[Path | None, Callable[..., None]], ...] = (
        (options.csv, _write_csv),
        (options.json, _write_json),
        (options.save_html, _write_html),
    )
    complete = True
    for file, write in files:
        if file is None:
            continue
        try:
            write(file, done, skipped, options)
        except OSError as error:
            print(f"vidattn classify: {file}: cannot write it ({error.strerror or error})", file=sys.stderr)
            complete = False
        else:
            console.print(Text(f"wrote {file}"))
    return complete


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
