"""Closed forms, measurements and published counts are the same numbers."""

from dataclasses import replace

import pytest

from vidattn.attention.scheme import IMAGE_STEPS, STEPS
from vidattn.flops import count
from vidattn.flops.agreement import check_macs
from vidattn.flops.meta import network_on_meta
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import PRESETS

SMALL = VideoTransformerConfig(
    num_classes=5, num_frames=4, image_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2
)
VIDEO_STEPS = [name for name in STEPS if name not in IMAGE_STEPS]
SCHEMES = ["divided", "axial", "local+global", "space", "space>time(2)", "time+window(2,3,3)+cbam"]
# Each side larger than the next; sides that no window divides; a single frame, row or column; a batch of three.
SHAPES = [(7, 48, 40, 1), (1, 8, 24, 2), (3, 40, 8, 3)]


@pytest.mark.parametrize("attention", [*VIDEO_STEPS, *IMAGE_STEPS, *SCHEMES])
def test_every_module_of_every_scheme_costs_what_it_declares(attention):
    network = network_on_meta(replace(SMALL, attention=attention))
    for frames, height, width, batch in SHAPES:
        check_macs(network, frames, height, width, batch)


@pytest.mark.parametrize("pooling", ["registers", "mean", "attentive"])
@pytest.mark.parametrize("attention", ["divided", "space", "space>time(2)"])
def test_every_read_out_costs_what_it_declares(attention, pooling):
    count(replace(SMALL, attention=attention, pooling=pooling), 3, 16, 40)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_agrees(name):
    count(replace(PRESETS[name], depth=2))
