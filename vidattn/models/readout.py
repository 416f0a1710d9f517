"""From the last block's tokens to one vector per clip."""

from torch import Tensor, nn


class ClassToken(nn.Module):
    """The first prefix token. ViT, https://arxiv.org/abs/2010.11929, section 3.1."""

    num_prefix = 1

    def forward(self, x: Tensor) -> Tensor:
        """`(B, S, D)` -> `(B, D)`."""
        return x[:, 0]


class MeanPooling(nn.Module):
    """The mean of all tokens; there is no prefix. As in ViViT's models 3 and 4 and in VideoMAE's fine-tuning."""

    num_prefix = 0

    def forward(self, x: Tensor) -> Tensor:
        """`(B, S, D)` -> `(B, D)`."""
        return x.mean(1)


READOUTS: dict[str, type[ClassToken] | type[MeanPooling]] = {"class_token": ClassToken, "mean": MeanPooling}
"""Read-outs by the name that a configuration gives."""
