"""Video Swin's own parts beside its attention: the embedding of patches, and their merging between stages."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.parts import Parts
from vidattn.grid import Grid
from vidattn.macs import Macs


class FilledTubelets(nn.Module):
    """Each tubelet through one linear layer and a norm; zeros at the ends fill the clip up to whole ones.

    Video Swin Transformer, https://arxiv.org/abs/2106.13230, section 3.1, and its code.

    Args:
        dim: token width D.
        patch_size: side of a tubelet in pixels.
        tubelet_size: frames of a tubelet.
        parts: what the norm is made of.
        norm_eps: added to the variance in it.
    """

    def __init__(self, dim: int, patch_size: int, tubelet_size: int, parts: Parts, norm_eps: float) -> None:
        super().__init__()
        box = (tubelet_size, patch_size, patch_size)
        self.conv = nn.Conv3d(3, dim, box, box)
        self.norm = parts.norm(dim, norm_eps)

    def forward(self, video: Tensor) -> Tensor:
        """`(B, 3, T, H, W)` -> `(B, T/t, H/p, W/p, D)`, rounded up."""
        t, h, w = (-length % side for length, side in zip(video.shape[2:], self.conv.kernel_size, strict=True))
        return self.norm(self.conv(F.pad(video, (0, w, 0, h, 0, t))).movedim(1, -1))

    def macs(self, tokens: int) -> Macs:
        """`3 t p^2 D` per token."""
        return Macs(convolution=tokens * self.conv.weight.numel())

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs."""
        return self.macs(output.numel() // output.shape[-1])


class PatchMerging(nn.Module):
    """The four tokens of each 2 x 2 square of a frame, side by side, normed, become one wider token.

    Swin Transformer, https://arxiv.org/abs/2103.14030, section 3.1; Video Swin merges in space only. A row or column of
    zeros fills up odd sides, before the norm. Prefix tokens enter as four copies.

    Args:
        dim: token width before.
        out_dim: token width after; twice as much in Swin.
        parts: what the layers are made of.
        norm_eps: added to the variance in the norm.
    """

    def __init__(self, dim: int, out_dim: int, parts: Parts, norm_eps: float) -> None:
        super().__init__()
        self.norm = parts.norm(4 * dim, norm_eps)
        self.reduction = nn.Linear(4 * dim, out_dim, bias=False)
        nn.init.trunc_normal_(self.reduction.weight, std=parts.std)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        """`(B, S, D)` on `grid` -> `(B, S', D')` on `grid_after(grid)`."""
        prefix, video = grid.split(x)
        video = F.pad(video, (0, 0, 0, grid.width % 2, 0, grid.height % 2))
        squares = [video[:, :, row::2, column::2] for column in (0, 1) for row in (0, 1)]  # down first, then across
        four = self.grid_after(grid).join(prefix.repeat(1, 1, 4), torch.cat(squares, dim=-1))
        return self.reduction(self.norm(four))

    def grid_after(self, grid: Grid) -> Grid:
        """Half the rows and columns, rounded up."""
        return grid.with_sides(grid.frames, -(-grid.height // 2), -(-grid.width // 2))

    def macs(self, grid: Grid) -> Macs:
        """`4 D D'` for each token that leaves."""
        return Macs(linear=self.grid_after(grid).num_tokens * self.reduction.in_features * self.reduction.out_features)

    def macs_of_call(self, inputs: tuple, output: Tensor) -> Macs:
        """Cost of a call of `forward` with these inputs."""
        tokens, grid = inputs
        return tokens.shape[0] * self.macs(grid)
