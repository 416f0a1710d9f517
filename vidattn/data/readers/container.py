"""Open a file with PyAV, and choose the stream that is the video."""

import io
from typing import Any, cast

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vidattn.data.errors import PassingError, VideoDecodeError
from vidattn.data.readers.base import as_file
from vidattn.data.readers.impostors import impostor

# A title that is not in UTF-8 is no reason to refuse a video. Up to PyAV 18 that had to be said.
TOLERANT: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}


def open_input(source: str | bytes) -> InputContainer:
    """The file of this path or with these bytes, open for reading; FFmpeg's own error where it is none."""
    return av.open(io.BytesIO(source) if isinstance(source, bytes) else as_file(source), "r", **TOLERANT)


def open_container(path: str, source: str | bytes) -> tuple[InputContainer, VideoStream]:
    """The open file and its best video stream, set to decode on one thread.

    Args:
        path: the file's name, for messages.
        source: where it is, or its bytes.

    Raises:
        VideoDecodeError: it cannot be opened, or holds no video that FFmpeg knows.
    """
    try:
        container = open_input(source)
    except Exception as error:  # PyAV has many kinds
        reason = getattr(error, "strerror", None) or error
        if isinstance(error, (OSError, MemoryError)) and not isinstance(error, (av.InvalidDataError, av.EOFError)):
            advice = "check the disk and your access to the file"
            raise PassingError(path, f"cannot open it as a video ({reason}); {advice}") from error
        if other := impostor(source):
            raise VideoDecodeError(path, f"this is a {other.kind}, not a video; {other.advice}") from error
        advice = "it is none, or was cut short: get it again, or drop it from the list"
        raise VideoDecodeError(path, f"cannot open it as a video ({reason}); {advice}") from error
    stream = cast(VideoStream | None, container.streams.best("video"))
    problem, advice = None, "get it with its video, or drop it from the list"
    if stream is None:
        problem = "it has no video stream"
    elif stream.disposition & Disposition.attached_pic:
        problem = "its only picture is a cover"
    elif stream.codec_context is None:
        problem, advice = "FFmpeg does not know its video codec", "re-encode it where that is known, or drop it"
    if stream is None or problem is not None:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        container.close()
        if other := impostor(source):
            raise VideoDecodeError(path, f"this is a {other.kind}, not a video; {other.advice}")
        raise VideoDecodeError(path, f"{problem} (the file holds: {kinds}); {advice}")
    # Workers are the parallelism. Frame threads cost 12-20% more CPU and have deadlocked on an early exit.
    stream.codec_context.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    return container, stream
