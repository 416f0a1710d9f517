"""Frames that are in memory already, read like a video."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from vidattn.checks import check_above_zero
from vidattn.data.readers.base import Keep, VideoReader, check_indices
from vidattn.mistakes import Mistake


class FramesReader(VideoReader):
    """A `VideoReader` over decoded frames, so that arrays take the same way as files.

    Args:
        frames: uint8 RGB `(T, H, W, 3)`.
        fps: frames per second; an array does not tell.

    Raises:
        ValueError: the frames are of another shape or type, or `fps` is not positive; the message says what to do.
    """

    def __init__(self, frames: np.ndarray | Tensor, fps: float = 30.0) -> None:
        self.path = "<array>"
        shape, kind = tuple(frames.shape), str(frames.dtype).removeprefix("torch.")
        if len(shape) == 4 and shape[-1] != 3 and 3 in shape[:2]:
            order = "(0, 2, 3, 1)" if shape[1] == 3 else "(1, 2, 3, 0)"
            raise Mistake(f"frames of shape {shape}; wanted (T, H, W, 3): permute them by {order}")
        if len(shape) != 4 or shape[-1] != 3 or 0 in shape:
            raise Mistake(f"frames of shape {shape}; wanted (T, H, W, 3), one video at a time (or a list of them)")
        if kind != "uint8":
            raise Mistake(f"frames of type {kind}; wanted uint8 RGB, 0 to 255, not normalised")
        check_above_zero(fps=fps)
        # As an array, for torch takes no negative strides (`frames[..., ::-1]`) and warns of read-only memory.
        self._frames = frames.numpy(force=True) if isinstance(frames, Tensor) else np.asarray(frames)
        self.num_frames = len(self._frames)
        self.fps = fps
        self.times = np.arange(self.num_frames) / fps

    def frames(self, indices: Sequence[int], keep: Keep | None = None) -> Tensor:
        """Frames as uint8 RGB `(T, H, W, 3)` in the order of `indices`, which may repeat, or what `keep` keeps of them.

        Raises:
            IndexError: an index is negative or not below `num_frames`.
        """
        checked = check_indices(self.path, indices, self.num_frames)
        if keep is None:
            return torch.from_numpy(self._frames[checked])
        return torch.from_numpy(np.stack([keep(self._frames[index]) for index in checked]))

    def stream(self, indices: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """`(index, uint8 RGB (H, W, 3))` one at a time, as `PyAVReader.stream`."""
        for index in check_indices(self.path, indices, self.num_frames):
            yield index, self._frames[index]

    def close(self) -> None:
        """Nothing to free."""
