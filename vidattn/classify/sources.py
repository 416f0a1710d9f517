"""What may be classified: a file, a folder, a glob, bytes, a file object, an array, or a list of these."""

import glob
import os
import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np
from torch import Tensor

from vidattn.data.errors import VideoDecodeError
from vidattn.data.lists.picture_folder import holds_pictures
from vidattn.data.lists.row import SHOWN_ENDINGS, endings_below, videos_below
from vidattn.data.readers import VideoReader, open_video
from vidattn.data.readers.in_memory import FramesReader
from vidattn.data.readers.library_errors import opening_errors
from vidattn.mistakes import Mistake
from vidattn.wording import nearest_word

One = str | Path | bytes | bytearray | memoryview | BinaryIO | np.ndarray | Tensor
"""One video."""
Many = One | Iterable[One]
"""One video, or a folder, a glob, or any number of them."""

_BYTES = (bytes, bytearray, memoryview)
_WANTED = "a path, a video as bytes or a binary stream, or frames uint8 (T, H, W, 3)"


class Skipped(NamedTuple):
    """A source without an answer, and the reason."""

    path: str
    reason: str


class Expanded(NamedTuple):
    """What a source stands for.

    Args:
        videos: in their order.
        several: whether it may stand for several (a list, a folder or a glob).
        skipped: folders and globs of a list that hold no video.
    """

    videos: list[One]
    several: bool
    skipped: list[Skipped]


def expand(source: Many) -> Expanded:
    """The videos that `source` stands for.

    A folder stands for all videos in it, by their endings and at any depth, sorted.

    Raises:
        VideoDecodeError: a folder or a glob holds no video; within a list such are `skipped`.
        ValueError: it is nothing that could be a video.
    """
    if isinstance(source, (str, Path)):
        source = os.path.expanduser(source)
        if os.path.isdir(source):
            return Expanded(_in_folder(Path(source)), True, [])
        if glob.has_magic(source) and not os.path.exists(source):
            found = sorted(path for path in glob.glob(source, recursive=True) if os.path.isfile(path))
            if not found:
                raise VideoDecodeError(source, "no file matches; check the pattern (** goes into folders)")
            return Expanded(list(found), True, [])
        return Expanded([source], False, [])
    if isinstance(source, (*_BYTES, np.ndarray, Tensor)) or hasattr(source, "read"):
        return Expanded([cast(One, source)], False, [])
    if not isinstance(source, Iterable):
        raise Mistake(f"{reprlib.repr(source)} is no video; wanted {_WANTED}, or a list of these")
    videos: list[One] = []
    skipped: list[Skipped] = []
    for part in source:
        try:
            within = expand(part)
        except VideoDecodeError as error:
            skipped.append(Skipped(error.path, error.reason))
        else:
            videos += within.videos
            skipped += within.skipped
    return Expanded(videos, True, skipped)


@contextmanager
def open_source(source: One, reader: str, fps: float) -> Iterator[VideoReader]:
    """A reader on one video, closed afterwards; errors of the system in between become errors that name the video.

    Args:
        reader: for files: "pyav", "decord", "torchcodec" or "torchcodec_cuda".
        fps: frames per second of an array.

    Raises:
        VideoDecodeError: the file is not there (the message suggests similar names), cannot be read or is no video.
        ValueError: an array is not uint8 `(T, H, W, 3)`, or the source is not one video.
    """
    if isinstance(source, (np.ndarray, Tensor)):
        yield FramesReader(source, fps)
        return
    if isinstance(source, (str, Path)):
        source = os.path.expanduser(source)
        if not os.path.exists(source):
            raise VideoDecodeError(source, f"no such file{_hint(source)}")
    elif isinstance(source, _BYTES):
        source = bytes(source)
    elif not hasattr(source, "read"):
        raise Mistake(f"{reprlib.repr(source)} is not one video; wanted {_WANTED}")
    elif not getattr(source, "readable", lambda: True)():
        raise Mistake(f"{getattr(source, 'name', '<bytes>')} was opened for writing only; open it to read: 'rb'")
    with opening_errors(name_of(source)):
        video = open_video(source, reader)
    with video:
        yield video


def name_of(source: One) -> str:
    """A name for the video in messages: its path, or its kind."""
    if isinstance(source, (str, Path)):
        return str(source)
    return "<array>" if isinstance(source, (np.ndarray, Tensor)) else "<bytes>"


def _in_folder(folder: Path) -> list[One]:
    found = sorted(path for path in videos_below(folder) if os.path.isfile(path))
    if not found and holds_pictures(folder):
        raise VideoDecodeError(
            str(folder),
            "the folder holds pictures; make a video of them (ffmpeg -framerate 30 -i img_%05d.jpg clip.mp4), or give "
            "their frames as an array",
        )
    if not found:
        raise VideoDecodeError(
            str(folder), f"no video in this folder ({endings_below(folder)}); a video ends in {SHOWN_ENDINGS}"
        )
    return list(found)


def _hint(name: str) -> str:
    path = Path(name)
    if "://" in name:
        return "; addresses are not read here: download it first"
    if glob.has_magic(name):
        return "; a pattern may stand for several videos, wanted one"
    if not path.parent.is_dir():
        return f"; the folder {path.parent} does not exist either (current folder: {Path.cwd()})"
    near = nearest_word(path.name, os.listdir(path.parent))
    return f"; did you mean {path.parent / near}?" if near else f" in {path.parent.resolve()}; check the name"
