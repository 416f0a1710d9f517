from dataclasses import replace

import pytest
import torch

from vidattn.flops import count
from vidattn.flops.activations import block_bytes
from vidattn.flops.closed_form_memory import closed_form_bytes
from vidattn.flops.weightless import network_on_meta
from vidattn.grid import Grid
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import preset

SMALL = VideoTransformerConfig(
    num_classes=5, num_frames=4, image_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2
)


@pytest.mark.parametrize("attention", ["joint", "time", "temporal", "space+space", "width", "height", "global"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_closed_forms_of_memory_are_what_autograd_saves(attention, dtype):
    block = network_on_meta(replace(SMALL, attention=attention), dtype).blocks[0]
    for grid in (Grid(3, 5, 4), Grid(4, 6, 2, prefix=0), Grid(1, 3, 5, prefix=5), Grid(3, 1, 5), Grid(3, 5, 1)):
        for runs in (1, 2):
            form = closed_form_bytes(block, grid, runs, dtype.itemsize)
            assert form == block_bytes(block, grid, runs), (grid, runs)


def test_joint_attention_keeps_sixteen_numbers_of_each_component():
    """6 in attention (input of the norm and of the layer, q, k, v, output), 10 in an MLP four times as wide."""
    one, two = (count(preset("B", attention="joint", depth=depth), check=False) for depth in (1, 2))
    tokens = 8 * 196 + 1
    assert two.activation_bytes - one.activation_bytes == 4 * tokens * (16 * 768 + 2 * 2 + 12)
