"""decord, for comparison: as fast as decoding everything, and wrong on more files than it says."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.agreement import check_agreement
from vidattn.data.readers.base import Source, VideoReader, as_file, check_indices, first_line, load_source

# decord 0.6 seeks wrongly in HEVC and MPEG-4, and cannot open AV1.
_CODECS = frozenset({"h264", "vp9", "mpeg2video"})


class DecordReader(VideoReader):
    """Frames of one video by decord, on one thread, where they are those of PyAV.

    Opening checks that (see `check_agreement`) and refuses the others: HEVC, AV1, MPEG-4, 10-bit colour, open groups of
    pictures, edit lists, transport streams.

    Args:
        source: a path, or a whole video as bytes or as a binary stream (read into memory).

    Raises:
        VideoDecodeError: the file cannot be opened, or decord is wrong on it.
        ImportError: decord is not installed.
    """

    def __init__(self, source: Source) -> None:
        try:
            import decord  # noqa: F401
        except ImportError as error:
            raise ImportError(
                f"reader=decord needs decord, which does not load here ({error}); pip install decord (x86-64 Linux and "
                "Windows only), or use reader=pyav"
            ) from error
        self.path, self._source = load_source(source)
        self._video: Any = None
        self.num_frames, self.fps, self.times = check_agreement(
            self._source, "decord", _CODECS, self._open, self._frames
        )

    def _open(self) -> int:
        import decord

        data = io.BytesIO(self._source) if isinstance(self._source, bytes) else as_file(self._source)
        try:
            self._video = decord.VideoReader(data, ctx=decord.cpu(0), num_threads=1)
            return len(self._video)
        except (decord.DECORDError, RuntimeError) as error:
            raise VideoDecodeError(
                self.path, f"decord cannot open it ({first_line(error)}); use reader=pyav"
            ) from error

    def frames(self, indices: Sequence[int]) -> Tensor:
        """Frames as uint8 RGB `(T, H, W, 3)`, upright, in the order of `indices`, which may repeat.

        Raises:
            IndexError: an index is negative or not below `num_frames`.
            VideoDecodeError: decord cannot decode them.
            ValueError: the reader is closed.
        """
        if self._video is None:
            raise ValueError(f"{self.path}: the reader is closed; open the video again")
        return self._frames(check_indices(self.path, indices, self.num_frames))

    def _frames(self, indices: Sequence[int]) -> Tensor:
        import decord

        try:
            pixels: np.ndarray = self._video.get_batch(indices).asnumpy()
        except (decord.DECORDError, RuntimeError) as error:
            raise VideoDecodeError(self.path, f"decord failed ({first_line(error)}); use reader=pyav") from error
        return torch.from_numpy(pixels)

    def close(self) -> None:
        """Free the file and the decoder; closing again does nothing."""
        self._video = None
