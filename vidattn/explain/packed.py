"""Weights as small text: a byte each, compressed, for a page that stands alone."""

import base64
import zlib
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vidattn.grid import Grid


class Packed(NamedTuple):
    """A matrix as text.

    Attributes:
        text: base64 of zlib of the rows' maxima (float32, little-endian) and the rows' bytes, 255 for the maximum.
        error: the largest difference to what was packed; at most half a 255th of the largest weight.
    """

    text: str
    error: float


def packed(weights: Tensor) -> Packed:
    """A matrix `(Q, K)` of numbers that are not negative."""
    weights = weights.float()
    maxima = weights.amax(1, keepdim=True)
    levels = (weights / maxima.clamp(min=1e-30) * 255).round().to(torch.uint8)
    error = (levels.float() / 255 * maxima - weights).abs().max().item() if weights.numel() else 0.0
    raw = maxima.numpy().astype("<f4").tobytes() + levels.numpy().tobytes()
    return Packed(base64.b64encode(zlib.compress(raw, 9)).decode(), error)


def unpacked(text: str, queries: int) -> Tensor:
    """What `packed` made text of, as the page reads it."""
    raw = zlib.decompress(base64.b64decode(text))
    maxima = torch.frombuffer(bytearray(raw[: 4 * queries]), dtype=torch.float32)
    levels = torch.frombuffer(bytearray(raw[4 * queries :]), dtype=torch.uint8).view(queries, -1)
    return levels.float() / 255 * maxima[:, None]


def pooled_keys(weights: Tensor, grid: Grid, pool: int) -> Tensor:
    """Sums over squares of `pool x pool` keys of a frame, `(Q, S) -> (Q, K)`; prefix keys stay as they are."""
    if pool == 1:
        return weights
    prefix, video = weights[:, : grid.prefix], weights[:, grid.prefix :]
    frames = video.unflatten(1, grid.sides())
    height, width = (-side % pool for side in (grid.height, grid.width))
    summed = F.avg_pool2d(F.pad(frames, (0, width, 0, height)), pool) * pool**2
    return torch.cat((prefix, summed.flatten(1)), 1)
