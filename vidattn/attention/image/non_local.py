"""The non-local block: every pixel gathers from all pixels, before there were vision transformers."""

import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.base import ImageAttention, Role
from vidattn.attention.heads import attend
from vidattn.macs import Macs
from vidattn.mistakes import Mistake


class EmbeddedGaussian(nn.Module):
    """`BN(W softmax(theta(x) phi(y)^T / sqrt(C / 2)) g(y))`: the pixels of one map gather from those of another.

    Non-local Neural Networks, https://arxiv.org/abs/1711.07971, equations 1 and 4: one head of half the width. The
    scores are scaled as in the official code; the paper's equation has plain products. Following section 4, a batch
    norm comes last and its scale starts at zero: put into a trained network, the block changes nothing at first.

    Args:
        dim: channels C, even.

    Raises:
        ValueError: `dim` is odd.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        if dim % 2:
            raise Mistake(f"dim={dim} is odd; the embeddings are half as wide, so take {dim - 1} or {dim + 1}")
        self.dim = dim
        self.theta = nn.Linear(dim, dim // 2)
        self.phi = nn.Linear(dim, dim // 2)
        self.g = nn.Linear(dim, dim // 2)
        self.out = nn.Linear(dim // 2, dim)
        self.norm = nn.BatchNorm1d(dim)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """`x (B, C, H, W)` gathers from `y (B, C, h, w)` -> `(B, C, H, W)`."""
        queries, keys = (image.flatten(2).transpose(1, 2).unsqueeze(1) for image in (x, y))  # (B, 1, pixels, C)
        gathered = self.out(attend(self.theta(queries), self.phi(keys), self.g(keys)))
        # Normed as rows of pixels: on such a view as a map, PyTorch's batch norm can return wrong gradients on CPU
        # (one image, channels last, a gradient that is not: 2.15).
        normed = self.norm(gathered.flatten(0, 2))
        return normed.view(x.shape[0], x.shape[2] * x.shape[3], self.dim).transpose(1, 2).reshape(x.shape)

    def macs(self, queries: int, keys: int) -> Macs:
        """`(n + m) C^2 + n m C` for n pixels that gather from m."""
        return Macs(linear=(queries + keys) * self.dim**2, attention=queries * keys * self.dim)


class NonLocal(ImageAttention):
    """Every pixel gathers from all pixels; returns the input plus what was gathered.

    Non-local Neural Networks, https://arxiv.org/abs/1711.07971, equation 6, embedded Gaussian.

    Args:
        dim: channels C, even.

    Raises:
        ValueError: `dim` is odd.
    """

    sees, cost, paper = "the map", "N^2 C", "1711.07971"
    role = Role(None, ("gather.norm",), optional=True)

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gather = EmbeddedGaussian(dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        return x + self.update(x)

    def update(self, x: Tensor) -> Tensor:
        """What was gathered."""
        return self.gather(x, x)

    def macs(self, height: int, width: int) -> Macs:
        """`2 N C^2 + N^2 C`."""
        return self.gather.macs(height * width, height * width)


class PooledNonLocal(ImageAttention):
    """Every pixel gathers from the map max-pooled by 2x2, a quarter of the work; returns input plus update.

    The "subsampling trick" of Non-local Neural Networks, https://arxiv.org/abs/1711.07971, section 3.3. At an odd
    edge the pooling windows are cut off, so that the last row and column count as well.

    Args:
        dim: channels C, even.

    Raises:
        ValueError: `dim` is odd.
    """

    sees, cost, paper = "the map, max-pooled by 2 x 2", "N^2 C / 4", "1711.07971"
    role = Role(None, ("gather.norm",), optional=True)

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gather = EmbeddedGaussian(dim)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        return x + self.update(x)

    def update(self, x: Tensor) -> Tensor:
        """What was gathered."""
        return self.gather(x, F.max_pool2d(x, 2, ceil_mode=True))

    def macs(self, height: int, width: int) -> Macs:
        """`(N + M) C^2 + N M C` with M = N / 4."""
        return self.gather.macs(height * width, -(-height // 2) * -(-width // 2))
