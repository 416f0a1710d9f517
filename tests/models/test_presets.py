"""Presets are the papers' models: parameters and multiply-accumulates to the unit."""

import json
from pathlib import Path

import pytest
import torch
from small_networks import random_network
from torch.utils.flop_counter import FlopCounterMode

from vidattn.models.presets import FIXED, PRESETS, build_network, list_presets, preset
from vidattn.models.space_only import SpaceOnlyTransformer

FACTS = Path(__file__).parents[3] / "shared" / "facts" / "real_models_closed_form.json"

# Measured on Hugging Face's ViViT (google/vivit-b-16x2), VideoMAE, VideoPrism and V-JEPA 2 (without its predictor).
MEASURED = {
    "vivit-b": (88_954_000, 451_524_753_408),
    "videomae-s": (22_033_936, 56_878_061_568),
    "videomae-b": (86_534_800, 180_344_893_440),
    "videomae-l": (304_270_736, 596_833_091_584),
    "videomae-h": (632_119_440, 1_190_994_104_320),
    "videomaev2-s": (22_153_286, 56_878_180_608),
    "videomaev2-b": (86_773_190, 180_345_131_520),
    "videomaev2-g": (1_012_611_142, 2_542_791_508_224),
    "videoprism-b": (124_122_512, 506_001_666_048),
    "videoprism-l": (371_168_912, 766_702_403_584),
    "vjepa2-l": (353_631_632, 6_524_081_946_624),
    "vjepa2-h": (709_231_760, 11_693_084_692_480),
    "vjepa2-g": (1_105_986_576, 17_028_781_496_320),
    "vjepa2-g-384": (1_105_986_576, 61_169_330_083_840),
}


@pytest.mark.parametrize("name", MEASURED)
def test_parameters_and_cost_are_the_measured_ones(name):
    config = preset(name)
    with torch.device("meta"):
        net = build_network(config)
    parameters, macs = MEASURED[name]
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters
    assert net.macs(config.num_frames, *config.size).total == macs
    if config.depth <= 16:  # deeper ones are counted with two blocks (tests/flops/test_counting.py)
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            net(torch.empty(1, 3, config.num_frames, *config.size))
        assert counter.get_total_flops() == 2 * macs


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("b", 86_833_152), ("l", 304_680_960), ("g", 1_013_267_968), ("G", 1_845_216_768)],
)
def test_vjepa2_1s_encoders_are_the_official_ones_but_for_what_videos_do_not_use(name, parameters):
    """Measured on the official classes, which also have a patch layer for pictures, two vectors that say which of the
    two was taken (that of videos is part of our layer's bias), and norms of three levels before the last."""
    config = PRESETS[f"vjepa2_1-{name}"]
    with torch.device("meta"):
        net = build_network(config)
    probe = sum(parameter.numel() for part in (net.readout, net.head) for parameter in part.parameters())
    dim = config.embed_dim
    left_out = dim * (3 * 16 * 16 + 1) + 2 * dim + 3 * 2 * dim
    assert sum(parameter.numel() for parameter in net.parameters()) - probe == parameters - left_out


@pytest.mark.skipif(not FACTS.exists(), reason="the table of measured models is not beside this checkout")
@pytest.mark.parametrize(("name", "entry"), [("vivit-b", "HF ViViT-B/16x2"), ("videomae-b", "HF VideoMAE-B")])
def test_the_numbers_are_those_of_the_facts(name, entry):
    facts = json.loads(FACTS.read_text())[entry]
    assert MEASURED[name] == (facts["params"], facts["macs"])


@pytest.mark.parametrize("spelling", [" space", "space()", "(space)", "vidattn.attention.spatial.SpatialAttention"])
def test_space_is_the_same_network_however_it_is_spelt(spelling):
    assert type(random_network(spelling)) is SpaceOnlyTransformer
    with pytest.raises(ValueError, match="see one frame at a time"):
        random_network(spelling, conditional_position="peg3d")


def test_a_preset_changes_by_field():
    assert preset("videomae-b", num_classes=174).num_classes == 174
    assert preset("videomae-b", num_classes=174).position == "sine"


def test_presets_are_listed_by_a_pattern():
    assert list_presets() == [*PRESETS, *FIXED]
    assert list_presets("timesformer*") == ["timesformer", "timesformer-hr", "timesformer-l"]
    assert list_presets("resnet*") == []


def test_a_network_of_a_kind_of_its_own_is_a_preset_too():
    assert preset("videoprism-l", num_classes=3).embed_dim == 1024
    with pytest.raises(ValueError, match="attention='joint': no other scheme can stand in preset 'videoprism-b'"):
        preset("videoprism-b", attention="joint")


def test_an_unknown_preset_lists_the_known():
    with pytest.raises(ValueError, match=r"preset 'XL' is unknown; choose one of Ti, S, B, L, timesformer"):
        preset("XL")
