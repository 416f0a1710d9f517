"""A network as it answers fastest, made from the one that is trained."""

import copy
import itertools

import torch
from torch import Tensor, nn

from vidattn.attention.factorised import PlainTemporalAttention
from vidattn.attention.temporal import TemporalAttention
from vidattn.macs import Macs
from vidattn.models.block import Block
from vidattn.models.body import Body
from vidattn.models.first_token import FirstTokenBlock
from vidattn.models.frame_by_frame import FrameByFrame
from vidattn.models.network import Network, NetworkConfig
from vidattn.models.readout import ClassToken, RegisterTokens


def lean(network: nn.Module) -> nn.Module:
    """The inference form of a network of ours: the same answers (in float32 to 1e-5) with less to compute.

    Two linear layers with nothing between are one (the projection of divided attention along time, and the layer `fc`
    behind it), and where the read-out takes the class token the last block makes nothing else. It shares the network's
    weights but those products: build it anew when they have changed. A network that is not of ours comes back as it is.

    >>> from vidattn import build_network, lean, preset
    >>> network = build_network(preset("Ti", attention="divided"))
    >>> round(lean(network).macs(8, 224, 224).total / network.macs(8, 224, 224).total, 3)
    0.889

    Args:
        network: normalised clips `(B, 3, T, H, W)` -> logits `(B, K)`; it stays as it is.
    """
    return Lean(network) if isinstance(network, Network) else network


class Lean(nn.Module):
    """See `lean`.

    Args:
        network: the network.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = _sharing_weights(network)
        for module in list(self.network.modules()):
            if isinstance(module, Body):
                _cut_last_block(module)
        for module in list(self.network.modules()):
            for name, child in module.named_children():
                if type(child) is TemporalAttention and _plain(child):
                    setattr(module, name, _folded(child))
        self.eval()

    @property
    def config(self) -> NetworkConfig:
        """The network's."""
        return self.network.config

    def forward(self, video: Tensor) -> Tensor:
        """Normalised clips `(B, 3, T, H, W)` -> logits `(B, K)`.

        Raises:
            ValueError: the input is not a clip, or its size does not fit.
        """
        if isinstance(self.network, FrameByFrame):
            return self.network.over_frames(self.network.of_frames(video))
        return self.network(video)

    def macs(self, frames: int, height: int, width: int) -> Macs:
        """Cost of one clip of `frames` frames of `height x width` pixels."""
        return self.network.macs(frames, height, width)


def _sharing_weights(network: Network) -> Network:
    """Modules of its own around the same parameters, buffers and configurations.

    A copy of a configuration would derive anew what it knows, which torch.compile(fullgraph=True) does not follow.
    """
    configs = (part.config for part in network.modules() if isinstance(getattr(part, "config", None), NetworkConfig))
    shared = itertools.chain(network.parameters(), network.buffers(), configs)
    return copy.deepcopy(network, {id(one): one for one in shared})


def _cut_last_block(body: Body) -> None:
    follows_first = len(body.blocks) == 1 and len(body.conditional)  # asks for all tokens behind that block
    reads_first = type(body.readout) in (ClassToken, RegisterTokens)
    if reads_first and not follows_first and len(body.blocks) and type(body.blocks[-1]) is Block:
        body.blocks[-1] = FirstTokenBlock(body.blocks[-1])


def _plain(step: TemporalAttention) -> bool:
    return type(step.attn.proj) is nn.Linear and type(step.fc) is nn.Linear


@torch.no_grad()
def _folded(step: TemporalAttention) -> PlainTemporalAttention:
    """`fc(proj(x))` as one product; multiplied in float32 at least."""
    first, second = step.attn.proj, step.fc
    wide = torch.promote_types(first.weight.dtype, torch.float32)
    with torch.device("meta"):
        folded = PlainTemporalAttention(step.dim, step.attn.num_heads)
        product = nn.Linear(first.in_features, second.out_features)
    weight, outer = first.weight.to(wide), second.weight.to(wide)
    bias = torch.addmv(second.bias.to(wide), outer, first.bias.to(wide))
    product.weight = nn.Parameter((outer @ weight).to(first.weight.dtype), requires_grad=False)
    product.bias = nn.Parameter(bias.to(first.weight.dtype), requires_grad=False)
    folded.attn = step.attn
    folded.attn.proj = product
    return folded
