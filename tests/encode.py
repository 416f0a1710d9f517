"""Make small test videos with PyAV, and frames that carry their own number in their pixels."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

_BLOCK = 8  # pixels; large enough to survive 4:2:0 and ordinary quantisation


def numbered_frames(count: int, height: int = 48, width: int = 64, first: int = 0) -> np.ndarray:
    """`(count, height, width, 3)` uint8: the number as 16 black or white blocks on top, moving texture below.

    `height` must be 16 or more and `width` 64 or more; `frame_number` reads the number back after decoding.
    """
    if height < 2 * _BLOCK or width < 8 * _BLOCK:
        raise ValueError(f"a numbered frame is at least 16 x 64 pixels, got {height} x {width}")
    rows, columns = np.mgrid[:height, :width]
    frames = np.empty((count, height, width, 3), np.uint8)
    for i in range(count):
        number = first + i
        texture = 128 + 60 * np.sin((columns + 3 * number) / 5) + 60 * np.sin((rows - 2 * number) / 7)
        frames[i] = np.stack([texture, texture[::-1], np.full_like(texture, 5 * number % 256)], -1)
        bits = np.array([number >> b & 1 for b in range(16)], np.uint8).reshape(2, 8) * 255
        frames[i, : 2 * _BLOCK, : 8 * _BLOCK] = bits.repeat(_BLOCK, 0).repeat(_BLOCK, 1)[..., None]
    return frames


def frame_number(image: np.ndarray) -> int:
    """The number that `numbered_frames` drew into this `(H, W, 3)` image."""
    blocks = np.asarray(image)[: 2 * _BLOCK, : 8 * _BLOCK].reshape(2, _BLOCK, 8, _BLOCK, 3).mean((1, 3, 4))
    return sum(1 << b for b, level in enumerate(blocks.ravel()) if level > 127)


def encode_video(
    path: str | Path,
    frames: Iterable[np.ndarray],
    fps: int | Fraction = 30,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    container: str | None = None,
    container_options: dict[str, str] | None = None,
    rotation: int = 0,
) -> Path:
    """Encode `(H, W, 3)` uint8 RGB frames into `path` and return it as a `Path`.

    Args:
        options: of the encoder, e.g. `{"g": "8", "bf": "2"}`.
        pts: presentation time of each frame in ticks of `time_base`; 0, 1, 2, ... by default.
        time_base: seconds per tick; 1 / fps by default.
        container: FFmpeg's name of the format where the file name's ending does not say it.
        container_options: of the muxer, e.g. `{"movflags": "faststart"}`.
        rotation: counterclockwise degrees written as display matrix; the pixels stay as they are.
    """
    path = Path(path)
    time_base = time_base or 1 / Fraction(fps)
    with av.open(str(path), "w", format=container, options=container_options or {}) as output:
        stream = None
        for i, image in enumerate(frames):
            if stream is None:
                stream = output.add_stream(codec, rate=fps, options={"threads": "1"} | (options or {}))
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt = pix_fmt
                stream.codec_context.time_base = time_base
                if rotation:
                    stream.set_display_rotation(rotation)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts = i if pts is None else pts[i]
            frame.time_base = time_base
            output.mux(stream.encode(frame))
        if stream is None:
            raise ValueError(f"{path}: no frames to encode")
        output.mux(stream.encode(None))
    return path
