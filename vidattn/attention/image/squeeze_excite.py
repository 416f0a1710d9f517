"""Squeeze-and-Excitation: the whole map decides how loud each channel is."""

from torch import Tensor, nn

from vidattn.attention.base import ImageAttention
from vidattn.macs import Macs


class SqueezeExcite(ImageAttention):
    """Scales each channel by a gate in (0, 1), computed from the means of all channels; returns the scaled map.

    Squeeze-and-Excitation Networks, https://arxiv.org/abs/1709.01507, section 3: `x * sigmoid(W2 relu(W1 mean(x)))`,
    here with the biases that implementations commonly have. In a video model every frame has a gate of its own.

    Args:
        dim: channels C.
        reduction: the gate's hidden layer has `C / reduction` units, at least one; "r" in the paper.
    """

    sees, cost, paper = "the map's mean, as a gate of channels", "C^2 / r", "SE 1709.01507"

    def __init__(self, dim: int, reduction: int = 16) -> None:
        super().__init__()
        self.dim = dim
        self.hidden = max(1, dim // reduction)
        self.gate = nn.Sequential(
            nn.Linear(dim, self.hidden), nn.ReLU(inplace=True), nn.Linear(self.hidden, dim), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, H, W)`."""
        return x * self.gate(x.mean((2, 3)))[:, :, None, None]

    def macs(self, height: int, width: int) -> Macs:
        """`2 C^2 / r`, whatever the size of the map."""
        return Macs(linear=2 * self.dim * self.hidden)
