"""From pixels to tokens: a patch of one frame, or a tubelet of several, through one linear layer."""

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from vidattn.macs import Macs
from vidattn.models.pixels import Pixels, rgb


class PatchEmbedding(nn.Module):
    """Each `patch_size x patch_size` patch of each frame through one linear layer.

    ViT, https://arxiv.org/abs/2010.11929, equation 1. The weight has the shape of the equivalent convolution's.

    Args:
        dim: token width D.
        patch_size: side of a patch in pixels.
        pixels: what is cut into patches.
    """

    def __init__(self, dim: int, patch_size: int, pixels: Pixels = rgb) -> None:
        super().__init__()
        self.patch_size, self.pixels = patch_size, pixels
        convolution = nn.Conv2d(3, dim, patch_size, patch_size)  # for its initialisation
        self.weight = convolution.weight
        self.bias = convolution.bias

    def forward(self, video: Tensor) -> Tensor:
        """`(B, 3, T, H, W)` -> `(B, T, H/p, W/p, D)`; H and W are multiples of the patch size."""
        return self.project(self.cut(video))

    def cut(self, video: Tensor) -> Tensor:
        """`(B, 3, T, H, W)` -> the pixels of each patch, `(B, T, H/p, W/p, 3 p^2)`."""
        p = self.patch_size
        return rearrange(self.pixels(video), "b c t (h p) (w q) -> b t h w (c p q)", p=p, q=p)

    def project(self, patches: Tensor) -> Tensor:
        """Pixels of patches `(..., 3 p^2)` -> tokens `(..., D)`."""
        return F.linear(patches, self.weight.flatten(1), self.bias)

    def macs(self, tokens: int) -> Macs:
        """`3 p^2 D` per token."""
        return Macs(convolution=tokens * self.weight.numel())

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs."""
        return self.macs(output.numel() // output.shape[-1])


class TubeletEmbedding(nn.Module):
    """Each tubelet of `tubelet_size` frames of a patch through one linear layer: one token for several frames.

    ViViT, https://arxiv.org/abs/2103.15691, section 3.2. The weight has the shape of the equivalent 3D convolution's;
    `central_frame` and `average_frames` make it of an image model's (section 3.4).

    Args:
        dim: token width D.
        patch_size: side of a tubelet in pixels.
        tubelet_size: frames of a tubelet.
        pixels: what is cut into tubelets.
    """

    def __init__(self, dim: int, patch_size: int, tubelet_size: int, pixels: Pixels = rgb) -> None:
        super().__init__()
        self.patch_size, self.tubelet_size, self.pixels = patch_size, tubelet_size, pixels
        box = (tubelet_size, patch_size, patch_size)
        convolution = nn.Conv3d(3, dim, box, box)  # for its initialisation
        self.weight = convolution.weight
        self.bias = convolution.bias

    def forward(self, video: Tensor) -> Tensor:
        """`(B, 3, T, H, W)` -> `(B, T/t, H/p, W/p, D)`; T, H and W are multiples of the tubelet's."""
        return self.project(self.cut(video))

    def cut(self, video: Tensor) -> Tensor:
        """`(B, 3, T, H, W)` -> the pixels of each tubelet, `(B, T/t, H/p, W/p, 3 t p^2)`."""
        t, p = self.tubelet_size, self.patch_size
        return rearrange(self.pixels(video), "b c (f t) (h p) (w q) -> b f h w (c t p q)", t=t, p=p, q=p)

    def project(self, tubelets: Tensor) -> Tensor:
        """Pixels of tubelets `(..., 3 t p^2)` -> tokens `(..., D)`."""
        return F.linear(tubelets, self.weight.flatten(1), self.bias)

    def macs(self, tokens: int) -> Macs:
        """`3 t p^2 D` per token."""
        return Macs(convolution=tokens * self.weight.numel())

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs."""
        return self.macs(output.numel() // output.shape[-1])


def central_frame(weight: Tensor, tubelet_size: int) -> Tensor:
    """An image model's patch weight `(D, 3, p, p)` as a tubelet's `(D, 3, t, p, p)` that sees one frame, `t // 2`.

    ViViT, https://arxiv.org/abs/2103.15691, equation 9: at first the network looks at every t-th frame as the image
    model did, and learns to look at those between.
    """
    tubelet = weight.new_zeros(*weight.shape[:2], tubelet_size, *weight.shape[2:])
    tubelet[:, :, tubelet_size // 2] = weight
    return tubelet


def average_frames(weight: Tensor, tubelet_size: int) -> Tensor:
    """An image model's patch weight `(D, 3, p, p)` as a tubelet's `(D, 3, t, p, p)` that sees the mean of the frames.

    ViViT, https://arxiv.org/abs/2103.15691, equation 8; inflation as in I3D, https://arxiv.org/abs/1705.07750.
    """
    return weight.unsqueeze(2).repeat(1, 1, tubelet_size, 1, 1) / tubelet_size
