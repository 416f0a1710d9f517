"""A network taken apart costs what it costs in one piece."""

import time
from dataclasses import replace
from itertools import product

import pytest

from vidattn import compare, crossovers
from vidattn.attention.scheme import IMAGE_STEPS
from vidattn.flops import count
from vidattn.flops.activations import block_bytes
from vidattn.flops.outline import Outline
from vidattn.flops.weightless import network_on_meta
from vidattn.models.config import VideoTransformerConfig

SMALL = VideoTransformerConfig(
    num_classes=5, num_frames=4, image_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2
)


@pytest.mark.parametrize("attention", IMAGE_STEPS)
def test_frame_by_frame_each_further_frame_keeps_the_same(attention):
    outline = Outline(network_on_meta(replace(SMALL, attention=attention)))
    for frames in (1, 2, 5, 3, 8):
        grid = SMALL.grid(frames, 24, 40)
        assert outline.block_bytes(0, grid, 2) == block_bytes(outline.blocks[0], grid, 2)


@pytest.mark.parametrize(
    ("attention", "position"), [("divided", "sine"), ("space>time(3)", "space+time"), ("local_group", "token")]
)
def test_blocks_made_once_are_counted_as_networks_made_for_each_clip(attention, position):
    base = replace(SMALL, position=position, conditional_position="peg", gradient_checkpointing=True)
    rows = compare(["joint", attention], [2, 7], [32, 48], base)[1::2]
    for row, (size, frames) in zip(rows, product((32, 48), (2, 7)), strict=True):
        cost = count(replace(base, attention=attention, num_frames=frames, image_size=size))
        assert cost.row() == {name: row[name] for name in cost.row()}


def test_a_sweep_takes_seconds():
    """Processor time of 8 schemes at ViT-B/16, 3 lengths x 3 sizes: about 2 seconds."""
    schemes = ["joint", "divided", "axial", "local+global", "space", "space|time", "space>time(4)", "swin"]
    frames, sizes = [4, 16, 96], [112, 224, 560]
    start = time.process_time()
    assert len(compare(schemes, frames, sizes)) == 9 * len(schemes)
    crossovers(schemes[:2], frames, sizes)
    assert time.process_time() - start < 20  # on a slow machine; making each network anew takes five times as long
