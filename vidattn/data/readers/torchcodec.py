"""torchcodec, for comparison and for those who have it: needs FFmpeg's libraries and a torch of its own kind."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.agreement import check_agreement
from vidattn.data.readers.base import Source, VideoReader, as_file, check_indices, first_line, load_source

# torchcodec is off by one on MPEG-4 with B-frames in AVI.
_CODECS = frozenset({"h264", "hevc", "vp9", "av1", "mpeg2video"})
_LEVELS = 4.0  # of 255: what the GPU's way to RGB may differ by, on average over a picture


class TorchCodecReader(VideoReader):
    """Frames of one video by torchcodec in its exact mode, on one thread, where they are those of PyAV.

    Opening checks that (see `check_agreement`) and refuses the others: MPEG-4, 10-bit colour, interlaced video,
    intra-refreshed H.264. https://docs.pytorch.org/torchcodec, `torchcodec.decoders.VideoDecoder`.

    On CUDA the GPU's video decoder works. It turns colours into RGB in its own way, so there pictures need only be
    alike (within 4 of 255 levels on average). Frames come back to the CPU, where transforms are at home. A process
    that is forked cannot use the GPU: data workers do not go with it.

    Args:
        source: a path, or a whole video as bytes or as a binary stream (read into memory).
        device: "cpu" or "cuda".

    Raises:
        VideoDecodeError: the file cannot be opened, or torchcodec is wrong on it.
        ImportError: torchcodec is not installed, or its libraries do not load.
        ValueError: there is no CUDA device.
    """

    def __init__(self, source: Source, device: Literal["cpu", "cuda"] = "cpu") -> None:
        try:
            # Here, not above: its newest wheels do not load beside a CPU-only torch, and say so by RuntimeError.
            import torchcodec.decoders  # noqa: F401
        except (ImportError, OSError, RuntimeError) as error:
            raise ImportError(
                f"reader=torchcodec does not load ({first_line(error)}); pip install a torchcodec made for your "
                "torch, and FFmpeg's shared libraries, or use reader=pyav"
            ) from error
        if device == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                "reader=torchcodec_cuda needs a CUDA device, and torch finds none here; vidattn doctor says why, or "
                "use reader=pyav"
            )
        self.path, self._source = load_source(source)
        self._device = device
        self._video: Any = None
        same = torch.equal if device == "cpu" else _alike
        self.num_frames, self.fps, self.times = check_agreement(
            self._source, "torchcodec", _CODECS, self._open, self._frames, same
        )

    def _open(self) -> int:
        from torchcodec.decoders import VideoDecoder

        data = self._source if isinstance(self._source, bytes) else as_file(self._source)
        try:
            self._video = VideoDecoder(
                data, seek_mode="exact", num_ffmpeg_threads=1, dimension_order="NHWC", device=self._device
            )
            return len(self._video)
        except (RuntimeError, ValueError) as error:
            raise VideoDecodeError(
                self.path, f"torchcodec cannot open it ({first_line(error)}); use reader=pyav"
            ) from error

    def frames(self, indices: Sequence[int]) -> Tensor:
        """Frames as uint8 RGB `(T, H, W, 3)`, upright, in the order of `indices`, which may repeat.

        Raises:
            IndexError: an index is negative or not below `num_frames`.
            VideoDecodeError: torchcodec cannot decode them.
            ValueError: the reader is closed.
        """
        if self._video is None:
            raise ValueError(f"{self.path}: the reader is closed; open the video again")
        return self._frames(check_indices(self.path, indices, self.num_frames))

    def _frames(self, indices: Sequence[int]) -> Tensor:
        try:
            return self._video.get_frames_at(list(indices)).data.cpu()
        except (RuntimeError, ValueError) as error:
            raise VideoDecodeError(self.path, f"torchcodec failed ({first_line(error)}); use reader=pyav") from error

    def close(self) -> None:
        """Free the file and the decoder; closing again does nothing."""
        self._video = None


def _alike(got: Tensor, wanted: Tensor) -> bool:
    """Whether two pictures differ in rounding and in the way to RGB only."""
    return got.shape == wanted.shape and float((got.float() - wanted.float()).abs().mean()) <= _LEVELS
