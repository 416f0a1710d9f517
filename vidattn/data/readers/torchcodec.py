"""torchcodec, for comparison and for those who have it: needs FFmpeg's libraries and a torch that it was built for."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from vidattn.data.readers.base import Source, as_file, first_line
from vidattn.data.readers.compared import ComparedReader
from vidattn.mistakes import Mistake

# torchcodec is off by one on MPEG-4 with B-frames in AVI.
_CODECS = frozenset({"h264", "hevc", "vp9", "av1", "mpeg2video"})
_LEVELS = 4.0  # of 255: what the GPU's way to RGB may differ by, on average over a picture


class TorchCodecReader(ComparedReader):
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
            raise _does_not_load(error) from error
        if device == "cuda" and not torch.cuda.is_available():
            raise Mistake(
                "reader=torchcodec_cuda needs a CUDA device, and torch finds none here; vidattn doctor says why, or "
                "use reader=pyav"
            )
        self._device = device
        super().__init__(source, "torchcodec", _CODECS, torch.equal if device == "cpu" else _alike)

    def _opened(self, source: str | bytes) -> Any:
        from torchcodec.decoders import VideoDecoder

        try:
            return VideoDecoder(
                source if isinstance(source, bytes) else as_file(source),
                seek_mode="exact",
                num_ffmpeg_threads=1,
                dimension_order="NHWC",
                device=self._device,
            )
        except RuntimeError as error:
            if "libtorchcodec" not in str(error):
                raise
            raise _does_not_load(error) from error  # some versions find out only now

    def _read(self, indices: Sequence[int]) -> Tensor:
        return self._video.get_frames_at(list(indices)).data.cpu()


def _does_not_load(error: Exception) -> ImportError:
    return ImportError(
        f"reader=torchcodec does not load ({first_line(error)}); pip install a torchcodec made for your torch, and "
        "FFmpeg's shared libraries, or use reader=pyav"
    )


def _alike(got: Tensor, wanted: Tensor) -> bool:
    """Whether two pictures differ in rounding and in the way to RGB only."""
    return got.shape == wanted.shape and float((got.float() - wanted.float()).abs().mean()) <= _LEVELS
