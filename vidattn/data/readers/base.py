"""What a video reader is, and the few words that all readers share."""

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, Self

import numpy as np
from torch import Tensor

from vidattn.data.errors import VideoDecodeError
from vidattn.data.videos.members import Member
from vidattn.mistakes import Mistake

Source = str | Path | bytes | BinaryIO

Keep = Callable[[np.ndarray], np.ndarray]
"""What is kept of a picture, uint8 `(H, W, 3)`: any uint8 array, of the same shape for all pictures of one call. The
argument is good only until it returns."""

REENCODE = "re-encode it (ffmpeg -i IN -c:v libx264 OUT.mp4) or drop it from the list"
"""What to do about a file that does not decode, at the end of messages."""


class VideoReader(Protocol):
    """Random access to the frames of one open video; a context manager that closes it.

    The order of frames is FFmpeg's order of decoding from the start, so that every reader means the same by an index.
    Pictures are as they are stored, but upright: where pixels are not square (anamorphic video), nothing is stretched,
    as in the loaders that published weights were trained with.

    Attributes:
        path: the file, or "<bytes>" for a video in memory.
        num_frames: frames that decoding from the start yields, counted, not the container's claim.
        fps: frames per second, averaged over the video.
        times: `(num_frames,)` float64, when each frame is shown, in seconds; the first at 0.
    """

    path: str
    num_frames: int
    fps: float
    times: np.ndarray

    def frames(self, indices: Sequence[int], keep: Keep | None = None) -> Tensor:
        """Frames as uint8 RGB `(T, H, W, 3)`, upright, in the order of `indices`, which may repeat.

        Args:
            indices: numbers of frames.
            keep: called with each picture as it is decoded; what it returns comes back instead, `(T, ...)`, and only
                that is held. So large pictures need not all lie in memory where small crops of them are wanted.

        Raises:
            IndexError: an index is negative or not below `num_frames`.
            VideoDecodeError: the file does not decode.
        """
        ...

    def close(self) -> None:
        """Free the file and the decoder; closing again does nothing."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load_source(source: Source) -> tuple[str, str | bytes]:
    """The name of a video for messages, and its path or its bytes (a stream is read whole, into memory, and so is a
    video inside a shard, see `Member`).

    Raises:
        VideoDecodeError: there is no such file or shard, or it is a folder, a pipe, a device, or empty.
        ValueError: a stream gives text.
    """
    if not isinstance(source, (str, Path)):
        data = source if isinstance(source, bytes) else _read_whole(source)
        if not data:
            raise VideoDecodeError("<bytes>", "there are 0 bytes; give the whole content of a video file")
        return "<bytes>", data
    if member := Member.parse(str(source)):
        return str(member), member.read()
    path = Path(source)
    if path.is_dir():
        raise VideoDecodeError(str(source), "this is a folder, not a video; give one file")
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or error
        raise VideoDecodeError(
            str(source), f"cannot open the file ({reason}); check the path and the root folder"
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise VideoDecodeError(
            str(source),
            f"this is {_kind(status.st_mode)}, and a video is read more than once: write what comes out of it to a "
            "file and give that, or give it as bytes",
        )
    if status.st_size == 0:
        raise VideoDecodeError(str(source), "the file is empty (0 bytes); download it again or drop it")
    return str(source), str(source)


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def as_file(path: str) -> str:
    """The path as FFmpeg takes it for one: a relative one that begins with `cam1:` would be a protocol.

    >>> as_file("cam1:left/a.mp4"), as_file("/set/a.mp4")
    ('./cam1:left/a.mp4', '/set/a.mp4')
    """
    return os.path.join(os.curdir, path)


def _read_whole(stream: BinaryIO) -> bytes:
    try:
        if getattr(stream, "seekable", bool)():
            stream.seek(0)  # it may have been read before
        data = stream.read()
    except Exception as error:  # a stream may come from anywhere
        name = getattr(stream, "name", "<bytes>")
        raise VideoDecodeError(str(name), f"the stream cannot be read ({first_line(error)}); open it again") from error
    if isinstance(data, str):
        name = getattr(stream, "name", type(stream).__name__)
        raise Mistake(f"{name} was opened as text; a video is read from a binary stream: open(..., 'rb')")
    return bytes(data)


def check_indices(path: str, indices: Sequence[int], num_frames: int) -> list[int]:
    """`indices` as Python integers, each checked to lie in the video."""
    checked = [int(index) for index in indices]
    outside = [index for index in checked if not 0 <= index < num_frames]
    if outside:
        raise IndexError(f"{path}: frame {outside[0]} was asked, but the video has frames 0 to {num_frames - 1}")
    return checked


def average_fps(times: np.ndarray, claimed: float | None) -> float:
    """Frames per second from presentation times in seconds; the container's claim where it agrees within 1%.

    The claim is the rounder number: Matroska stores whole milliseconds, which makes 29.9997 of 30.

    >>> average_fps(np.array([0.0, 0.033, 0.067, 0.1]), claimed=30.0)
    30.0
    >>> average_fps(np.array([0.0, 0.1, 0.5]), claimed=30.0)
    4.0
    """
    if len(times) < 2 or times[-1] <= times[0]:
        return claimed or 1.0  # one frame has no rate; 1 keeps divisions defined
    measured = (len(times) - 1) / float(times[-1] - times[0])
    return claimed if claimed and abs(claimed / measured - 1) < 0.01 else measured


def first_line(error: Exception) -> str:
    """The first line of an error's message: backends go on with their stack."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
