"""Let another backend through only where it returns the frames that PyAV returns."""

from collections.abc import Callable, Collection, Sequence

import numpy as np
import torch
from torch import Tensor

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.base import Source
from vidattn.data.readers.pyav import PyAVReader

_PROBES = 8


def check_agreement(
    source: Source,
    reader: str,
    codecs: Collection[str],
    count: Callable[[], int],
    frames: Callable[[Sequence[int]], Tensor],
    same: Callable[[Tensor, Tensor], bool] = torch.equal,
) -> tuple[int, float, np.ndarray]:
    """`(num_frames, fps, times)` as PyAV tells them, after a check that another backend agrees with it on the file.

    The backend must know the codec, count the same frames, and return the same pixels at the start and wherever the
    first few seeks can go wrong, asked for backwards so that it has to seek. That finds rotation that is not applied,
    other colours, edit lists, open groups of pictures, and keyframes from which decoding cannot start.

    Args:
        reader: the backend's name, for messages.
        codecs: FFmpeg's names of the codecs in which the backend is known to be right.
        count: opens the video with the backend and counts its frames. Called once PyAV has decoded: decord ends the
            process on some broken files, and PyAV finds most of them.
        frames: the backend's way from indices to uint8 `(T, H, W, 3)`.
        same: whether two pictures `(H, W, 3)` are one; bit for bit by default.

    Raises:
        VideoDecodeError: the backend is wrong on this file; the message says to use pyav.
    """
    advice = "use reader=pyav for this file"
    with PyAVReader(source) as truth:
        if truth.codec not in codecs:
            known = ", ".join(sorted(codecs))
            raise VideoDecodeError(truth.path, f"{reader} is not right on {truth.codec}, only on {known}; {advice}")
        if not truth.indexed:
            raise VideoDecodeError(
                truth.path, f"its timestamps do not tell its frames, so {reader} mixes them; {advice}"
            )
        probes = sorted({*truth.seek_points()[:_PROBES], 0, min(_PROBES, truth.num_frames - 1)}, reverse=True)
        expected = truth.frames(probes)
        if truth.unsafe:
            raise VideoDecodeError(truth.path, f"it is damaged or cannot be sought in, which {reader} does; {advice}")
        num_frames = count()
        if num_frames != truth.num_frames:
            raise VideoDecodeError(
                truth.path, f"{reader} counts {num_frames} frames, decoding gives {truth.num_frames}; {advice}"
            )
        for index, wanted in zip(probes, expected, strict=True):
            got = frames([index])[0]
            if not same(got, wanted):
                raise VideoDecodeError(truth.path, f"{reader} returns another picture for frame {index}; {advice}")
        return num_frames, truth.fps, truth.times
