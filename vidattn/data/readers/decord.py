"""decord, for comparison: as fast as decoding everything, and wrong on more files than it says."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vidattn.data.readers.base import Source, as_file
from vidattn.data.readers.compared import ComparedReader
from vidattn.mistakes import MissingLibraryError

# decord 0.6 seeks wrongly in HEVC and MPEG-4, and cannot open AV1.
_CODECS = frozenset({"h264", "vp9", "mpeg2video"})


class DecordReader(ComparedReader):
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
            raise MissingLibraryError(
                f"reader=decord needs decord, which does not load here ({error}); pip install decord (x86-64 Linux and "
                "Windows only), or use reader=pyav"
            ) from error
        super().__init__(source, "decord", _CODECS)

    def _opened(self, source: str | bytes) -> Any:
        import decord

        data = io.BytesIO(source) if isinstance(source, bytes) else as_file(source)
        return decord.VideoReader(data, ctx=decord.cpu(0), num_threads=1)

    def _read(self, indices: Sequence[int]) -> Tensor:
        pixels: np.ndarray = self._video.get_batch(list(indices)).asnumpy()
        return torch.from_numpy(pixels)
