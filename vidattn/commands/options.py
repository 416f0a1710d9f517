"""How commands read their words."""

import argparse
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from vidattn.mistakes import Mistake
from vidattn.writable import check_place

ENDINGS = {"csv": ".csv", "json": ".json", "markdown": ".md"}


class Parser(argparse.ArgumentParser):
    """Python's, but it tells a file whose name begins with a dash from an option that it does not know."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Raises:
        Mistake: a word is such a file.
        """
        refuse_dashed_files(args or (), self._option_string_actions)
        return super().parse_known_args(args, namespace)


def refuse_dashed_files(words: Sequence[str], known: Iterable[str]) -> None:
    """Raise where a word looks like an option and is a file, or has a dot as files do.

    >>> refuse_dashed_files(["--weights", "best.ckpt", "-M8.mp4"], ["--weights"])
    Traceback (most recent call last):
    vidattn.mistakes.Mistake: -M8.mp4 begins with a dash, as options do; write ./-M8.mp4

    Args:
        words: of the command line; behind `--` none is an option.
        known: the options that there are.
    """
    options = set(known)
    for word in words:
        if word == "--":
            return
        name, _, value = word.partition("=")
        if not re.match(r"-+[^-\d.]", word) or name in options:
            continue
        if os.path.exists(word) or (not value and not word.startswith("--") and "." in word):
            raise Mistake(f"{word} begins with a dash, as options do; write ./{word}")


def call(function: Callable[..., None], words: Sequence[str], command: str, positional: bool = False) -> None:
    """Call a function whose arguments are the command's options.

    Args:
        words: behind the command.
        command: its name, for the usage.
        positional: whether arguments without a default stand without their name.
    """
    from jsonargparse import auto_cli  # a third of a second that other commands need not wait

    refuse_dashed_files(words, ())
    auto_cli(function, args=list(words), as_positional=positional, prog=f"vidattn {command}")


def refuse(parser: argparse.ArgumentParser, options: argparse.Namespace, names: Iterable[str], why: str) -> None:
    """Leave with a sentence if one of the named options is given that would be ignored."""
    for name in names:
        if getattr(options, name) != parser.get_default(name):
            parser.error(f"--{name} {why}")


def check_files(options: argparse.Namespace) -> None:
    """Raise unless the files of `--csv`, `--json` and `--markdown` can be written.

    Raises:
        Mistake: an ending is wrong, or as in `check_place`.
    """
    for name, ending in ENDINGS.items():
        if path := getattr(options, name):
            if not path.endswith(ending):
                raise Mistake(f"--{name} {path} must end in {ending}")
            check_place(Path(path), folder=False)


def pixels(text: str) -> tuple[int, int]:
    """Height and width: `224` or `224x320`.

    Raises:
        argparse.ArgumentTypeError: neither.
    """
    if not re.fullmatch(r"\d+(x\d+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no size in pixels; write 224, or 224x320 (height x width)")
    height, _, width = text.partition("x")
    return int(height), int(width or height)
