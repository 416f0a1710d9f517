"""What the commands that count say of their options before they begin to work."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from vidattn.writable import check_place

ENDINGS = {"csv": ".csv", "json": ".json", "markdown": ".md"}


def refuse(parser: argparse.ArgumentParser, options: argparse.Namespace, names: Iterable[str], why: str) -> None:
    """Leave with a sentence if one of the named options is given that would be ignored."""
    for name in names:
        if getattr(options, name) != parser.get_default(name):
            parser.error(f"--{name} {why}")


def check_files(options: argparse.Namespace) -> None:
    """Raise unless the files of `--csv`, `--json` and `--markdown` can be written.

    Raises:
        ValueError: an ending is wrong, or as in `check_place`.
    """
    for name, ending in ENDINGS.items():
        if path := getattr(options, name):
            if not path.endswith(ending):
                raise ValueError(f"--{name} {path} must end in {ending}")
            check_place(Path(path), folder=False)
