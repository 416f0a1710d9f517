"""What may be classified: a file, a folder, a glob, bytes, a file object, an array, or a list of these."""

import glob
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from torch import Tensor

from vidattn.data.errors import VideoDecodeError
from vidattn.data.manifest import VIDEO_EXTENSIONS
from vidattn.data.readers import VideoReader, open_video
from vidattn.data.readers.in_memory import FramesReader

One = str | Path | bytes | BinaryIO | np.ndarray | Tensor
"""One video."""
Many = One | Iterable[One]
"""One video, or a folder, a glob, or any number of them."""


def expand(source: Many) -> tuple[list[One], bool]:
    """The videos that `source` stands for, and whether it may stand for several (a list, a folder or a glob).

    A folder stands for all videos in it, by their endings and at any depth, sorted.

    Raises:
        VideoDecodeError: a folder or a glob holds no video.
    """
    if isinstance(source, (str, Path)):
        if os.path.isdir(source):
            return _in_folder(Path(source)), True
        if glob.has_magic(str(source)) and not os.path.exists(source):
            found = sorted(path for path in glob.glob(str(source), recursive=True) if os.path.isfile(path))
            if not found:
                raise VideoDecodeError(str(source), "no file matches; check the pattern (** goes into folders)")
            return list(found), True
        return [source], False
    if isinstance(source, (bytes, bytearray, memoryview)):
        return [bytes(source)], False
    if isinstance(source, (np.ndarray, Tensor)) or hasattr(source, "read"):
        return [cast(One, source)], False
    return [one for part in source for one in expand(part)[0]], True


@contextmanager
def open_source(source: One, reader: str, fps: float) -> Iterator[VideoReader]:
    """A reader on one video, closed afterwards; what the system refuses while it is open is said of the video.

    Args:
        reader: for files: "pyav", "decord", "torchcodec" or "torchcodec_cuda".
        fps: frames per second of an array.

    Raises:
        VideoDecodeError: the file is not there (names like it are said), cannot be read or is no video.
        ValueError: an array is not uint8 `(T, H, W, 3)`.
    """
    if isinstance(source, (np.ndarray, Tensor)):
        yield FramesReader(source, fps)
        return
    if isinstance(source, (str, Path)) and not os.path.exists(source):
        raise VideoDecodeError(str(source), f"no such file{_hint(Path(source))}")
    try:
        with open_video(source, reader) as video:
            yield video
    except OSError as error:
        raise VideoDecodeError(name_of(source), str(error)) from error


def name_of(source: One) -> str:
    """The file, or what else it is, for messages."""
    if isinstance(source, (str, Path)):
        return str(source)
    return "<array>" if isinstance(source, (np.ndarray, Tensor)) else "<bytes>"


def _in_folder(folder: Path) -> list[One]:
    endings = {f".{extension}" for extension in VIDEO_EXTENSIONS}
    found = sorted(str(path) for path in folder.rglob("*") if path.suffix.lower() in endings and path.is_file())
    if not found:
        raise VideoDecodeError(
            str(folder), f"no video in this folder (endings: {', '.join(VIDEO_EXTENSIONS[:5])}, ...)"
        )
    return list(found)


def _hint(path: Path) -> str:
    if not path.parent.is_dir():
        return f"; the folder {path.parent} does not exist either (current folder: {Path.cwd()})"
    near = get_close_matches(path.name, os.listdir(path.parent), n=1)
    return f"; did you mean {path.parent / near[0]}?" if near else f" in {path.parent.resolve()}; check the name"
