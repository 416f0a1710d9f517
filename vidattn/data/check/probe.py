"""One video examined: its properties, its faults, and the time that decoding a clip of it takes."""

import hashlib
import itertools
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.base import load_source
from vidattn.data.readers.container import open_input
from vidattn.data.readers.declared import is_cut_off
from vidattn.data.readers.frame_folder import FrameFolderReader
from vidattn.data.readers.impostors import impostor
from vidattn.data.readers.known import NOTHING, Known
from vidattn.data.readers.orientation import display_matrix, upright
from vidattn.data.readers.pyav import PyAVReader
from vidattn.data.readers.rgb import to_rgb
from vidattn.data.videos.identity import Identity, identity
from vidattn.data.videos.members import Member

_hash = partial(hashlib.blake2b, digest_size=16)
MISSING_PICTURES = "pictures missing"
"""The problem of a folder whose numbers have gaps, or which holds fewer pictures than a list says."""

UNCLEAR_PICTURES = "pictures unclear"
"""The problem of a folder with two sets of pictures, pictures of two sizes, or one that cannot be read."""

_COMPARED = 6  # frames that are decoded in both ways
_STRIDE = 4  # of the clip that is timed: 8 frames


@dataclass
class Probe:
    """What was found in one file.

    Args:
        path: the file, a folder of pictures, or a video in a shard (as a `Member`).
        problems: what is wrong with it, in the words of `vidattn check`'s table.
        usable: whether clips can be taken from it.
        reason: the decoder's words where something does not decode.
        size: bytes.
        digest: of the content, equal for equal files.
        codec: FFmpeg's name.
        width: pixels of the upright picture.
        height: pixels of the upright picture.
        fps: average frames per second.
        num_frames: frames that decoding yields.
        keyframes: numbers of the frames that can be decoded without others.
        known: what spares later readers of the file work.
        file: size and time of writing of the file, before it was looked into; None where they tell nothing.
        clip_seconds: to open the file and decode eight frames at stride 4 from its middle, on one core.
    """

    path: str
    problems: list[str] = field(default_factory=list)
    usable: bool = True
    reason: str = ""
    size: int = 0
    digest: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    num_frames: int = 0
    keyframes: list[int] = field(default_factory=list)
    known: Known = NOTHING
    file: Identity | None = None
    clip_seconds: float = 0.0


def probe(path: str, folder_fps: float | None, min_frames: int) -> Probe:
    """Decode the whole video once, and some frames of it again by seeking.

    Args:
        path: the file or folder.
        folder_fps: of a folder of pictures; None for a file.
        min_frames: a video with fewer is "too short".
    """
    found = Probe(path, file=identity(path))
    try:
        if folder_fps is not None:
            _look_into_folder(found, folder_fps)
        else:
            _, source = load_source(path)
            found.size, found.digest = _size_and_digest(source)
            _look_into_file(found, source)
    except VideoDecodeError as error:
        found.usable, found.reason = False, error.reason if error.path == path else str(error)  # one of its pictures
        found.problems.append(_kind_of_failure(path))
        return found
    except MemoryError:
        raise
    except OSError as error:
        found.usable, found.problems = False, ["unreadable"]
        found.reason = f"cannot read it ({error.strerror or error}); check the disk and your access"
        return found
    except Exception as error:  # whatever a library raises, one file ends no check
        found.usable, found.problems = False, ["unreadable"]
        found.reason = f"cannot be read ({type(error).__name__}: {error})"
        return found
    if found.num_frames < min_frames:
        found.problems.append("too short")
    return found


def _look_into_folder(found: Probe, fps: float) -> None:
    began = time.perf_counter()
    reader = FrameFolderReader(found.path, fps)
    frames = reader.frames(_clip(reader.num_frames))
    found.clip_seconds = time.perf_counter() - began
    found.codec, found.fps, found.num_frames = "pictures", fps, reader.num_frames
    found.height, found.width = frames.shape[1:3]
    found.keyframes = list(range(reader.num_frames))
    if len({reader.frames([number]).shape for number in range(reader.num_frames)}) > 1:
        raise VideoDecodeError(found.path, "its pictures differ in size; extract this video again")
    if missing := holes(reader.numbers):
        found.problems.append(MISSING_PICTURES)
        found.reason = f"{missing} {'is' if missing.isdecimal() else 'are'} missing"


def holes(numbers: list[int], most: int = 5) -> str:
    """The numbers missing from an evenly spaced row.

    >>> holes([1, 2, 3, 5, 6, 10]), holes([0, 5, 10, 20]), holes([0, 5, 10])
    ('4, 7-9', '15', '')
    """
    pairs = list(itertools.pairwise(numbers))
    if not pairs:
        return ""
    times = Counter(after - before for before, after in pairs)
    step = min(times, key=lambda one: (-times[one], one))
    left_out = []
    for before, after in pairs:
        if after - before > step:
            first, last = before + step, after - step if (after - before) % step == 0 else after - 1
            left_out.append(str(first) if first >= last else f"{first}-{last}")
    more = f" and {len(left_out) - most} more" if len(left_out) > most else ""
    return ", ".join(left_out[:most]) + more


def _look_into_file(found: Probe, source: str | bytes) -> None:
    began = time.perf_counter()
    with PyAVReader(found.path) as reader:
        seeks = reader.seekable
        reader.frames(_clip(reader.num_frames))
        found.clip_seconds = time.perf_counter() - began
        found.codec, found.fps, found.known = reader.codec, reader.fps, reader.known
        points = reader.seek_points() if reader.indexed else []
        compared = _spread([frame for point in points for frame in (point, point + 1)], reader.num_frames)
    with PyAVReader(found.path, found.known) as reader:  # as training will open it
        by_seeking = reader.frames(compared).numpy()
        seen = _decode_all(found.path, source, compared)
        found.num_frames, found.keyframes = seen.num_frames, seen.keyframes
        height, width = seen.frames[0].shape[:2] if seen.frames else (0, 0)
        found.height, found.width = height, width
        unsafe = reader.unsafe or (seeks and not np.array_equal(by_seeking, seen.frames))
        found.known = (found.known if reader.num_frames == seen.num_frames else NOTHING)._replace(unsafe=unsafe)
        if unsafe:
            found.problems.append("unsafe to seek")
        # What an edit list hides is counted by the container, and never comes out of the decoder.
        hidden = reader.num_hidden
        shown = 1 - hidden / max(seen.claimed_frames, hidden + seen.num_frames)
        too_few = (
            seen.num_frames < 0.99 * (seen.claimed_frames - hidden) or seen.end < 0.95 * seen.claimed_end * shown - 1
        )
        if too_few or is_cut_off(seen.end + 1 / reader.fps, reader.declared_seconds):
            found.problems.append("truncated")
        if seen.corrupt:
            found.problems.append("damaged")
            found.reason = f"{seen.corrupt} of {seen.num_frames} frames are damaged"
        if reader.pixel_aspect is not None:
            found.problems.append("pixels not square")
        if seen.rotated:
            found.problems.append("rotated")
        if _is_uneven(seen.times):
            found.problems.append("variable rate")


@dataclass
class _Seen:
    """What decoding from start to end shows."""

    num_frames: int = 0
    corrupt: int = 0
    rotated: bool = False
    keyframes: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    frames: list[np.ndarray] = field(default_factory=list)
    claimed_frames: int = 0
    claimed_end: float = 0.0

    @property
    def end(self) -> float:
        """When the last frame is shown, from the first."""
        return max(self.times) - self.times[0] if self.times else 0.0


def _decode_all(path: str, source: str | bytes, wanted: list[int]) -> _Seen:
    """Plain FFmpeg, without any of our reader's shortcuts: the reference."""
    seen = _Seen()
    matrix, reformatter = None, VideoReformatter()
    with open_input(source) as container:
        stream = cast(VideoStream, container.streams.best("video"))
        stream.codec_context.thread_type, stream.codec_context.thread_count = "NONE", 1
        seen.claimed_frames = stream.frames
        if stream.duration is not None and stream.time_base is not None:
            seen.claimed_end = float(stream.duration * stream.time_base)
        elif container.duration is not None and len(container.streams) == 1:
            seen.claimed_end = container.duration / av.time_base
        try:
            for frame in container.decode(stream):
                if not seen.num_frames:
                    matrix = display_matrix(frame)
                    seen.rotated = matrix is not None
                if frame.key_frame:
                    seen.keyframes.append(seen.num_frames)
                if frame.pts is not None and frame.time is not None:
                    seen.times.append(frame.time)
                if seen.num_frames in wanted:
                    seen.frames.append(upright(to_rgb(frame, reformatter).copy(), matrix))
                seen.corrupt += frame.is_corrupt
                seen.num_frames += 1
        except av.FFmpegError as error:
            raise VideoDecodeError(path, f"decoding stopped after {seen.num_frames} frames ({error})") from error
    return seen


def _clip(num_frames: int) -> list[int]:
    start = max(0, num_frames // 2 - 4 * _STRIDE)
    return [min(start + i * _STRIDE, num_frames - 1) for i in range(8)]


def _spread(frames: list[int], num_frames: int) -> list[int]:
    """A few of these frames from first to last, with the first and the last of the video."""
    inside = sorted({frame for frame in frames if frame < num_frames})
    step = max(1, len(inside) // _COMPARED)
    return sorted({0, num_frames - 1, *inside[::step]})


def _is_uneven(times: list[float]) -> bool:
    """Whether frames are shown for unequal times, beyond the rounding of containers to milliseconds; also where time
    runs backwards."""
    gaps = np.diff(times)
    if not len(gaps):
        return False
    usual = float(np.median(gaps))
    return bool((np.abs(gaps - usual) > 0.1 * abs(usual) + 0.0015).any())


def _kind_of_failure(path: str) -> str:
    if os.path.isdir(path):
        return UNCLEAR_PICTURES
    member = Member.parse(path)
    try:
        if os.path.isfile(path) and (other := impostor(path)):
            return other.kind
        if member is None and not os.path.exists(path):
            return "missing"
        if (os.path.getsize(path) if member is None else member.size) == 0:
            return "zero bytes"
        with open_input(load_source(path)[1]) as container:
            kinds = {stream.type for stream in container.streams}
            if "video" not in kinds:
                return "audio only" if "audio" in kinds else "unreadable"
            stream = cast(VideoStream, container.streams.best("video"))
            packets = [packet for packet in container.demux(stream) if packet.size]
            cut = bool(packets) and (packets[-1].is_corrupt or len(packets) < stream.frames)
            return "truncated" if cut else "unreadable"
    except Exception:
        return "unreadable"


def _size_and_digest(source: str | bytes) -> tuple[int, str]:
    if isinstance(source, bytes):
        return len(source), _hash(source).hexdigest()
    with open(source, "rb") as stream:
        return os.path.getsize(source), hashlib.file_digest(stream, _hash).hexdigest()
