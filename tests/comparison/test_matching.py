"""Schemes at the cost of the first."""

from dataclasses import replace
from pathlib import Path

import pytest
from staged import STAGED

from vidattn.commands.match import with_network
from vidattn.comparison.matching import macs, match, nearest_in_cost, parameters, variants
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import preset

CONFIG = Path(__file__).parents[2] / "configs" / "motion_divided.yaml"
SMALL = preset("Ti", depth=4, image_size=64)


@pytest.mark.parametrize(
    ("budget", "cost", "by"),
    [
        ("macs", macs, "width"),
        ("macs", macs, "depth"),
        ("macs", macs, "frames"),
        ("params", parameters, "width"),
        ("params", parameters, "depth"),
    ],
)
def test_no_neighbour_is_nearer_to_the_budget(budget, cost, by):
    first, found = match(["divided", "space"], SMALL, budget, by)

    assert first.config == replace(SMALL, attention="divided")
    wanted = cost(first.config)
    assert found.ratio == cost(found.config) / wanted
    choices = variants(replace(SMALL, attention="space"), by)
    place = choices.index(found.config)
    for neighbour in choices[place - 1], choices[place + 1]:
        assert abs(cost(neighbour) - wanted) >= abs(cost(found.config) - wanted)


def test_only_the_chosen_number_changes():
    _, found = match(["joint", "divided"], SMALL, "macs", "width")
    assert replace(found.config, embed_dim=SMALL.embed_dim, attention="divided") == replace(SMALL, attention="divided")
    assert found.config.embed_dim < SMALL.embed_dim  # 8x64: divided is the dearer one


def test_widths_that_a_scheme_refuses_are_passed_over():
    def cost(config: VideoTransformerConfig) -> float:
        if config.embed_dim % 2:
            raise ValueError("odd")
        return config.embed_dim

    choices = [replace(SMALL, embed_dim=3 * width) for width in range(1, 50)]
    config, value = nearest_in_cost(choices, cost, 46, "width")
    assert (config.embed_dim, value) == (48, 48)


def test_time_is_matched_by_what_is_measured(monkeypatch):
    # A machine on which each frame takes a millisecond, and divided attention twice that.
    def fake(candidates, rounds):
        return {name: [run()] * rounds for name, run in candidates.items()}

    def forward(config):
        return lambda: config.num_frames * (2 if config.attention == "divided" else 1)

    monkeypatch.setattr("vidattn.comparison.matching.interleaved", fake)
    monkeypatch.setattr("vidattn.comparison.matching.forward", forward)
    _, found = match(["joint", "divided"], SMALL, "time", "frames")
    assert (found.config.num_frames, found.ratio) == (4, 1.0)


@pytest.mark.parametrize(
    ("budget", "by", "message"),
    [
        ("params", "frames", "does not change the parameters; match them by width or depth"),
        ("memory", "width", "cannot match 'memory' by 'width'; match macs, params, time by width, depth, frames"),
        ("macs", "depth", "no depth of space meets the budget"),
    ],
)
def test_what_cannot_be_matched_is_said(budget, by, message):
    with pytest.raises(ValueError, match=message):
        match(["joint", "space"], replace(SMALL, depth=1, num_frames=64, image_size=256), budget, by)


@pytest.mark.parametrize(("by", "field"), [("width", "widths"), ("depth", "depths"), ("frames", "num_frames")])
def test_networks_in_stages_are_brought_to_a_cost_too(by, field):
    base = replace(STAGED["swin"], attention="joint", depths=(1, 4), image_size=64)
    first, found = match(["joint", "swin3d(2,3,3)"], base, "macs", by)
    assert first.config == base
    assert replace(found.config, **{field: getattr(base, field)}) == replace(base, attention="swin3d(2,3,3)")
    assert abs(found.ratio - 1) < 0.2
    written = with_network({}, found.config, "x")["model"]["network"]
    assert written["class_path"] == "vidattn.HierarchicalConfig"
    assert written["init_args"]["attention"] == "swin3d(2,3,3)"
