"""Tubelets that overlap: the embedding of MViT and Hiera."""

from torch import Tensor, nn

from vidattn.attention.parts import Parts
from vidattn.macs import Macs


class OverlappingTubelets(nn.Module):
    """A convolution over more frames and pixels than its strides: each token sees some of its neighbours' pixels.

    MViT, https://arxiv.org/abs/2104.11227, table 2; Hiera, https://arxiv.org/abs/2306.00989. At a tubelet of 2 frames
    and a patch of 4 pixels the kernel is 3 x 7 x 7, with zeros around the clip.

    Args:
        dim: token width D.
        patch_size: pixels from one token to the next.
        tubelet_size: frames from one token to the next.
        parts: there is no norm to make of them.
        norm_eps: likewise.
    """

    def __init__(self, dim: int, patch_size: int, tubelet_size: int, parts: Parts, norm_eps: float) -> None:
        super().__init__()
        kernel = (2 * tubelet_size - 1, 2 * patch_size - 1, 2 * patch_size - 1)
        around = (tubelet_size - 1, patch_size - 1, patch_size - 1)
        self.conv = nn.Conv3d(3, dim, kernel, (tubelet_size, patch_size, patch_size), around)

    def forward(self, video: Tensor) -> Tensor:
        """`(B, 3, T, H, W)` -> `(B, T/t, H/p, W/p, D)`, rounded up."""
        return self.conv(video).movedim(1, -1)

    def macs(self, tokens: int) -> Macs:
        """The kernel's size times 3 D, per token."""
        return Macs(convolution=tokens * self.conv.weight.numel())

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs."""
        return self.macs(output.numel() // output.shape[-1])
