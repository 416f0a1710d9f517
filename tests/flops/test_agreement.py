from dataclasses import replace

import pytest

from vidattn.attention.scheme import IMAGE_STEPS, STEPS
from vidattn.attention.spatial import SpatialAttention
from vidattn.attention.temporal import TemporalAttention
from vidattn.flops import count
from vidattn.flops.agreement import CountError, check_macs
from vidattn.flops.weightless import network_on_meta
from vidattn.macs import Macs
from vidattn.models.config import VideoTransformerConfig

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


def test_a_module_that_declares_too_little_is_named(monkeypatch):
    honest = TemporalAttention.macs
    monkeypatch.setattr(TemporalAttention, "macs", lambda self, grid: honest(self, grid) + Macs(attention=-1))
    with pytest.raises(CountError, match=r"^blocks\.0\.steps\.0 \(vidattn\.attention\.temporal\.TemporalAttention\)"):
        count(SMALL)


def test_modules_whose_errors_cancel_are_found(monkeypatch):
    def wrong(step, error):
        honest = step.macs
        monkeypatch.setattr(step, "macs", lambda self, grid: honest(self, grid) + Macs(linear=error))

    wrong(TemporalAttention, 1)
    wrong(SpatialAttention, -1)
    with pytest.raises(CountError, match=r"\.steps\.[01] "):
        count(SMALL)
