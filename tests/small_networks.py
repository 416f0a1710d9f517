"""Small configurations and networks whose every parameter is random."""

import dataclasses
from typing import Any

import torch

from vidattn.checkpoints.pretrained import Pretrained
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing, SamplingRule

SIZES: dict[str, Any] = {
    "num_classes": 5,
    "num_frames": 4,
    "image_size": 32,
    "patch_size": 8,
    "embed_dim": 32,
    "depth": 2,
    "num_heads": 2,
}
SMALL = VideoTransformerConfig("divided", **SIZES)


def random_network(attention="divided", **changes):
    """The small network of this scheme, every parameter random."""
    return randomised(dataclasses.replace(SMALL, attention=attention, **changes))


def randomised(config):
    """Every parameter random: zeros would hide what was not loaded."""
    torch.manual_seed(0)
    network = build_network(config).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return network


def logits(network, frames=4, size=32):
    torch.manual_seed(1)
    with torch.no_grad():
        return network(torch.randn(2, 3, frames, size, size))


def small_model(attention="divided", **changes):
    """A network with names and preprocessing."""
    rule = SamplingRule("x.Y", {"num_frames": 4, "frame_stride": 2})
    preprocessing = Preprocessing(rule, 32, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    return Pretrained(random_network(attention, **changes), ["a", "b", "c", "d", "e"], preprocessing).eval()
