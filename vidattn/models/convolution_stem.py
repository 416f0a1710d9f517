"""Two convolutions that see their neighbours' pixels: CoAtNet's stem."""

from einops import rearrange
from torch import Tensor, nn

from vidattn.attention.parts import Parts
from vidattn.macs import Macs
from vidattn.mistakes import Mistake


class ConvolutionStem(nn.Module):
    """A 3 x 3 convolution of stride 2, batch norm and GELU, and another of stride 1, on each frame; no norm behind it.

    "S0" of CoAtNet, https://arxiv.org/abs/2106.04803, table 3, as in timm's code.

    Args:
        dim: token width D.
        patch_size: pixels from one token to the next: 2.
        tubelet_size: frames of a token: 1.
        parts: there is nothing to make of them.
        norm_eps: likewise: the batch norm adds its own 1e-5.

    Raises:
        ValueError: a patch is not of 2 pixels, or a tubelet not of one frame.
    """

    def __init__(self, dim: int, patch_size: int, tubelet_size: int, parts: Parts, norm_eps: float) -> None:
        super().__init__()
        if (patch_size, tubelet_size) != (2, 1):
            raise Mistake(
                f"patch_size={patch_size}, tubelet_size={tubelet_size}: the stem `convolutions` halves each frame; "
                "give patch_size=2 and tubelet_size=1, or another stem"
            )
        self.first = nn.Conv2d(3, dim, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(dim)
        self.activation = nn.GELU()
        self.second = nn.Conv2d(dim, dim, 3, padding=1, bias=False)

    def forward(self, video: Tensor) -> Tensor:
        """`(B, 3, T, H, W)` -> `(B, T, H/2, W/2, D)`, rounded up."""
        frames = rearrange(video, "b c t h w -> (b t) c h w")
        maps = self.second(self.activation(self.norm(self.first(frames))))
        return rearrange(maps, "(b t) d h w -> b t h w d", t=video.shape[2])

    def macs(self, tokens: int) -> Macs:
        """`27 D + 9 D^2` per token."""
        return Macs(convolution=tokens * (self.first.weight.numel() + self.second.weight.numel()))

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs."""
        return self.macs(output.numel() // output.shape[-1])
