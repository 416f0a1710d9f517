"""What is tried to bring a network to a cost."""

from itertools import pairwise

from vidattn.comparison.matching import macs, variants
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import preset

SMALL = preset("Ti", depth=4, image_size=64)


def test_costs_grow_with_every_knob():
    for by in ("width", "depth", "frames"):
        values = [macs(config) for config in variants(SMALL, by)[:12]]
        assert all(one < other for one, other in pairwise(values))


def test_widths_that_no_configuration_may_have_are_passed_over():
    """A head of fewer than six components has no room for rotary positions in three directions."""
    config = VideoTransformerConfig(query_key="rotary", embed_dim=48, num_heads=4, depth=1, num_classes=2)
    widths = [one.embed_dim for one in variants(config, "width")]
    assert widths[0] == 24
    assert widths[-1] == 192
