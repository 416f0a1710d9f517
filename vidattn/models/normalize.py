"""From uint8 pixels to what a network takes: the last step of preprocessing, run on the network's device."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from vidattn.mistakes import Mistake
from vidattn.preprocessing import three

Normalization = Literal["timesformer", "imagenet", "half"]

NORMALIZATIONS = {
    "timesformer": ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225)),  # also SlowFast and MViT
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),  # also VideoMAE's fine-tuned models, Video Swin
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),  # ViViT, Motionformer, ImageNet-21k ViT
}
"""Mean and std of pixels in [0, 1], by the names of those who trained with them."""


class Normalize(nn.Module):
    """`(video / 255 - mean) / std` per channel.

    Clips travel as uint8, a quarter of the bytes, until they are on the device of the network.

    Args:
        mean: of red, green and blue, for pixels in [0, 1].
        std: likewise.

    Raises:
        ValueError: one of them is not three numbers, or `std` is not positive.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        mean, std = three("mean", mean), three("std", std)
        if not all(one > 0 for one in std):
            raise Mistake(f"std={std} must be positive")
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1, 1), persistent=False)

    def forward(self, video: Tensor) -> Tensor:
        """uint8 `(B, 3, T, H, W)` -> float of the same shape.

        Raises:
            ValueError: the video is not uint8 (it may have been normalised already).
        """
        if video.dtype != torch.uint8:
            raise Mistake(f"video of type {video.dtype}; wanted uint8 pixels, normalisation happens here")
        # One multiplication and one addition over the floats.
        scale = 1 / (255 * self.std)
        return video * scale - self.mean / self.std

    def values(self) -> dict[str, list[float]]:
        """Mean and std as plain numbers, for checkpoints."""
        return {"mean": self.mean.flatten().tolist(), "std": self.std.flatten().tolist()}
