"""Frames of a camera, an address or a pipe, as they come: nothing is sought, and nothing is read twice."""

import os
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from torch import Tensor

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.container import TOLERANT
from vidattn.data.readers.library_errors import library_errors
from vidattn.data.readers.orientation import display_matrix, upright
from vidattn.data.readers.rgb import to_rgb
from vidattn.mistakes import Mistake

Source = str | Path | BinaryIO | Iterable[np.ndarray]
"""A device, an address or a file; an open stream of bytes; or frames uint8 RGB `(H, W, 3)`."""

_ADVICE = "check that it sends video, and its format"
_DEVICES = {"/dev/video": "v4l2"}
_DAMAGED = 250
"""Packets in a row that do not decode, after which a stream is given up."""


class LiveFrames:
    """An open source: its frames, one after another, each with the second that it is shown at.

    Args:
        source: see `Source`.
        fps: of frames given as arrays, which do not tell; None where each is shown when it comes.
        format: FFmpeg's name for what a source sends, where it cannot see that itself: `v4l2` (taken for /dev/video*),
            `avfoundation`, `dshow`, `h264`.
        options: for FFmpeg: `{"video_size": "1280x720", "framerate": "30"}` of a camera, `{"rtsp_transport": "tcp"}`.

    Attributes:
        name: for messages.
        fps: frames per second, where anybody says it.
        damaged: packets that did not decode and were passed over.

    Raises:
        VideoDecodeError: it cannot be opened, or sends no video.
        ValueError: it is nothing that sends frames.
    """

    def __init__(
        self,
        source: Source,
        fps: float | None = None,
        format: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.fps = fps
        self.damaged = 0
        self._container: InputContainer | None = None
        self._frames: Iterator[tuple[float | None, np.ndarray]]
        if isinstance(source, (str, Path)) or hasattr(source, "read"):
            self._open(source, format, dict(options or {}))  # type: ignore[arg-type]
        elif isinstance(source, (np.ndarray, Tensor)) or not isinstance(source, Iterable):
            what = "one array" if isinstance(source, (np.ndarray, Tensor)) else reprlib.repr(source)
            raise Mistake(
                f"{what} is no stream; wanted a device (/dev/video0), an address (rtsp://...), an open stream of "
                "bytes, or something that yields frames uint8 (H, W, 3) one after another"
            )
        else:
            self.name = "<frames>"
            self._frames = self._given(source)

    def __iter__(self) -> Iterator[tuple[float | None, np.ndarray]]:
        """`(seconds, uint8 RGB (H, W, 3))`, seconds from the stream's own clock, or None where it has none; a picture
        is good until the next is asked for."""
        return self._frames

    def close(self) -> None:
        """Free the source; not while another thread is at its frames."""
        if self._container is not None:
            self._container.close()

    def _open(self, source: str | Path | BinaryIO, format: str | None, options: dict[str, str]) -> None:
        self.name = str(source) if isinstance(source, (str, Path)) else str(getattr(source, "name", "<stream>"))
        if isinstance(source, (str, Path)):
            source = os.path.expanduser(source)
            format = format or next((kind for start, kind in _DEVICES.items() if source.startswith(start)), None)
            if "://" not in source and format is None and not os.path.exists(source):
                raise VideoDecodeError(self.name, "no such file or device; a camera may need its format (format=...)")
        given: Any = source if isinstance(source, str) else _AsItComes(source)
        try:
            self._container = av.open(given, "r", format=format, options=options, **TOLERANT)
        except Exception as error:  # PyAV has many kinds
            reason = getattr(error, "strerror", None) or error
            raise VideoDecodeError(self.name, f"cannot open it as a stream of video ({reason}); {_ADVICE}") from error
        stream = self._container.streams.best("video")
        if stream is None or stream.codec_context is None:
            self._container.close()
            raise VideoDecodeError(self.name, f"it sends no video that FFmpeg knows; {_ADVICE}")
        stream.codec_context.thread_type = "NONE"  # threads that wait for frames to come would keep some back
        rate = stream.average_rate or stream.guessed_rate
        self.fps = float(rate) if rate else self.fps
        self._frames = self._decoded(stream)

    def _decoded(self, stream: Any) -> Iterator[tuple[float | None, np.ndarray]]:
        assert self._container is not None
        reformatter, matrix, known, in_a_row = VideoReformatter(), None, False, 0
        with library_errors(self.name, "pyav", _ADVICE):
            for packet in self._container.demux(stream):
                try:
                    frames = packet.decode()
                    in_a_row = 0
                except av.InvalidDataError:
                    self.damaged, in_a_row = self.damaged + 1, in_a_row + 1
                    if in_a_row > _DAMAGED:
                        raise
                    continue
                for frame in frames:
                    if not known:
                        matrix, known = display_matrix(frame), True
                    seconds = None if frame.time is None else float(frame.time)
                    yield seconds, upright(to_rgb(frame, reformatter), matrix)

    def _given(self, source: Iterable[Any]) -> Iterator[tuple[float | None, np.ndarray]]:
        for number, frame in enumerate(source):
            picture = frame.numpy(force=True) if isinstance(frame, Tensor) else np.asarray(frame)
            if picture.ndim != 3 or picture.shape[-1] != 3 or picture.dtype != np.uint8:
                raise Mistake(
                    f"frame {number} of shape {picture.shape} and type {picture.dtype}; wanted uint8 RGB (H, W, 3), 0 "
                    "to 255 (OpenCV gives blue first: frame[..., ::-1])"
                )
            yield None if self.fps is None else number / self.fps, picture


class _AsItComes:
    """A stream of bytes whose `read` returns what there is, as that of a pipe; a buffer would wait until it is full."""

    def __init__(self, stream: BinaryIO) -> None:
        self._read = getattr(stream, "read1", stream.read)

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        return self._read(size)
