"""Graph attention: pixels attend to those whose features are nearest, wherever in the map they are."""

from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import heads_of
from vidattn.checks import check_positive
from vidattn.macs import Macs


class GraphAttention(ImageAttention):
    """Each pixel attends to its k nearest neighbours in feature space, itself among them; returns the mixture.

    The layer is GAT's, https://arxiv.org/abs/1710.10903, section 2.1, equations 1 to 5: the score of an edge is
    `LeakyReLU(a . [W x_i, W x_j])`; the heads are concatenated, and the nonlinearity at the end is left to the network
    around it. The graph is Vision GNN's, https://arxiv.org/abs/2206.00272, section 3.1: the k nearest by Euclidean
    distance of the incoming features, found anew for each map. No gradient flows through the choice.

    Args:
        dim: channel width D; a multiple of `num_heads`.
        num_neighbors: k, the pixel itself included; maps of fewer pixels use them all.
        num_heads: number of heads; D / 64 by default.

    Raises:
        ValueError: `num_neighbors` is below 1, or `dim` is not a multiple of `num_heads`.
    """

    sees, cost, paper = "the k pixels with the most similar features", "N^2 C + N k C", "1710.10903, 2206.00272"
    role = Role(None, ("project",), optional=True)

    def __init__(self, dim: int, num_neighbors: int = 9, num_heads: int | None = None) -> None:
        super().__init__()
        check_positive(num_neighbors=num_neighbors)
        self.num_heads = heads_of(dim, num_heads)
        self.dim = dim
        self.num_neighbors = num_neighbors
        self.project = nn.Linear(dim, dim, bias=False)
        self.score = nn.Parameter(
            torch.empty(2, self.num_heads, dim // self.num_heads)
        )  # of the pixel, of its neighbour
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.xavier_uniform_(self.score)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, D, H, W)` -> `(B, D, H, W)`."""
        pixels = x.flatten(2).transpose(1, 2)  # (B, N, D)
        neighbors = nearest_points(pixels, min(self.num_neighbors, pixels.shape[1])).unsqueeze(1)  # (B, 1, N, k)
        values = self.project(pixels).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (B, h, N, d)
        own, others = torch.einsum("bhnd,shd->sbhn", values, self.score)
        image = torch.arange(x.shape[0], device=x.device).view(-1, 1, 1, 1)
        head = torch.arange(self.num_heads, device=x.device).view(-1, 1, 1)
        scores = F.leaky_relu(own.unsqueeze(-1) + others[image, head, neighbors], 0.2)  # (B, h, N, k)
        mixed = scores.softmax(dim=-1).unsqueeze(-2) @ values[image, head, neighbors]  # (B, h, N, 1, d)
        return mixed.squeeze(-2).transpose(2, 3).flatten(1, 2).unflatten(2, x.shape[2:])

    def macs(self, height: int, width: int) -> Macs:
        """`N D^2 + N^2 D + 2 N D + N k D`; the distances, `N^2 D`, dominate large maps."""
        pixels = height * width
        neighbors = min(self.num_neighbors, pixels)
        return Macs(
            linear=pixels * self.dim**2 + 2 * pixels * self.dim,
            attention=pixels * (pixels + neighbors) * self.dim,
        )


@torch.no_grad()
def nearest_points(points: Tensor, k: int) -> Tensor:
    """Indices `(B, N, k)` of the k nearest of `(B, N, D)` points to each, itself included, nearest first.

    A block of rows at a time, so that a large map's `N x N` distances are never held at once; in fp32 at least and
    out of autocast, because bf16 does not tell close neighbours apart.
    """
    kind = points.device.type
    # Autocast knows no meta device, on which we count MACs.
    exact = nullcontext() if kind == "meta" else torch.autocast(kind, enabled=False)
    with exact:
        points = points.to(torch.promote_types(points.dtype, torch.float32))
        # Distances do not depend on the origin; around the mean the difference below loses the fewest digits.
        points = points - points.mean(1, keepdim=True)
        # |a - b|^2 / 2 less |a|^2 / 2, which is the same for all b.
        offset = points.square().sum(-1).unsqueeze(1) / 2  # (B, 1, N)
        distances = (torch.baddbmm(offset, rows, points.mT, alpha=-1) for rows in points.split(1024, dim=1))
        return torch.cat([block.topk(k, largest=False).indices for block in distances], dim=1)
