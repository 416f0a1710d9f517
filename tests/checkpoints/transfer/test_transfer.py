import dataclasses

import pytest
import torch
from small_networks import SMALL, logits, small_model

from vidattn.checkpoints.loading import load
from vidattn.models.presets import build_network

WINDOW = "window(2,2,2)"


def changed(tmp_path, old="divided", saved=None, **changes):
    """A network with random weights, and what it becomes."""
    model = small_model(old, **(saved or {}))
    model.save_pretrained(tmp_path)
    return model.network, load(tmp_path, **changes)


def verdict(model):
    (line,) = [line for line in model.report if line.startswith("attention: ")]
    return line


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("joint", "time+joint"),
        ("joint", "joint+map+peg"),
        ("joint", "time+joint+local+width"),
        ("divided", "time+space+temporal"),
        ("divided", "lka+time+space+acmix"),
        (WINDOW, f"time+{WINDOW}"),
        ("split_heads", "split_heads+pvt(2)"),
        ("trajectory", "trajectory+image_axial"),
    ],
)
def test_fresh_steps_are_silent_so_that_the_network_computes_what_it_did(tmp_path, old, new):
    before, after = changed(tmp_path, old, attention=new)

    torch.testing.assert_close(logits(after.network), logits(before), atol=1e-6, rtol=1e-6)
    assert verdict(after) == f"attention: {old} -> {new}, computes at first what it did"


@pytest.mark.parametrize("new", ["time+space", "space+temporal", "time+space+swin(2)"])
def test_without_a_class_token_space_becomes_divided_exactly(tmp_path, new):
    before, after = changed(tmp_path, "space", saved={"pooling": "mean"}, attention=new)

    torch.testing.assert_close(logits(after.network), logits(before), atol=1e-5, rtol=1e-5)
    assert verdict(after).endswith("computes at first what it did")


def test_with_a_class_token_space_becomes_divided_on_clips_that_stand_still(tmp_path):
    before, after = changed(tmp_path, "space", attention="divided")
    clip = torch.randn(2, 3, 1, 32, 32).expand(-1, -1, 4, -1, -1)

    with torch.no_grad():
        torch.testing.assert_close(after.network(clip), before(clip), atol=1e-5, rtol=1e-5)
        assert (logits(after.network) - logits(before)).abs().max() > 1e-3
    assert "computes at first what it did on clips that stand still" in verdict(after)


def test_joint_attention_comes_from_the_spatial_step_and_the_temporal_one_is_named(tmp_path):
    before, after = changed(tmp_path, "divided", attention="joint")

    for old, new in zip(before.blocks, after.network.blocks, strict=True):
        assert torch.equal(new.steps[0].attn.qkv.weight, old.steps[1].attn.qkv.weight)
        assert torch.equal(new.norms[0].weight, old.norms[1].weight)
        assert torch.equal(new.mlp.fc1.weight, old.mlp.fc1.weight)
    assert "steps.0 (JointAttention): from SpatialAttention" in after.report
    assert "TemporalAttention: not taken over, attention=joint has no place for it" in after.report
    assert "blocks.*.steps.0.fc.weight: not taken over" in after.report


@pytest.mark.parametrize(
    ("old", "new"),
    [("space+time", "space+temporal"), ("temporal+joint", "time+joint"), ("time+space", "temporal+space+temporal")],
)
def test_attention_along_time_stays_the_same_function_with_one_linear_layer_more_or_less(tmp_path, old, new):
    before, after = changed(tmp_path, old, attention=new)

    torch.testing.assert_close(logits(after.network), logits(before), atol=1e-5, rtol=1e-5)
    assert verdict(after).endswith("computes at first what it did")
    assert not any("not taken over" in line or line.endswith("starts fresh") for line in after.report)


def test_along_time_in_another_order_keeps_its_weights_and_is_no_longer_the_same(tmp_path):
    before, after = changed(tmp_path, "divided", attention="space+temporal")

    for old, new in zip(before.blocks, after.network.blocks, strict=True):
        assert torch.equal(new.steps[1].attn.qkv.weight, old.steps[0].attn.qkv.weight)
        assert torch.equal(new.norms[1].weight, old.norms[0].weight)
    assert (logits(after.network) - logits(before)).abs().max() > 1e-3
    assert "computes something else at first" in verdict(after)


@pytest.mark.parametrize(("old", "part"), [("divided", "peg"), ("divided", "peg3d"), ("space>time(2)", "peg")])
def test_a_fresh_conditional_position_adds_nothing_at_first_and_is_named(tmp_path, old, part):
    before, after = changed(tmp_path, old, conditional_position=part)

    assert torch.equal(logits(after.network), logits(before))
    assert after.report == [f"conditional_position: none -> {part}, starts fresh, its output zero"]


def test_a_conditional_position_that_is_left_out_is_named(tmp_path):
    before, after = changed(tmp_path, "joint", saved={"conditional_position": "peg"}, conditional_position="none")

    assert (logits(after.network) - logits(before)).abs().max() > 1e-3
    assert after.report == ["conditional_position: peg -> none, left out"]


def test_a_patch_layer_that_is_to_see_other_pixels_starts_fresh_and_is_named(tmp_path):
    before, after = changed(tmp_path, "joint", pixels="motion")

    assert not torch.equal(after.network.patch.weight, before.patch.weight)
    assert torch.equal(after.network.blocks[0].mlp.fc1.weight, before.blocks[0].mlp.fc1.weight)
    assert after.report == [
        "patch: starts fresh, as it is to see other pixels",
        "pixels: rgb in the file, motion here",
    ]


def test_fresh_norms_of_queries_and_keys_are_named(tmp_path):
    before, after = changed(tmp_path, "joint", query_key="norm+rotary")

    assert torch.equal(after.network.blocks[0].steps[0].attn.qkv.weight, before.blocks[0].steps[0].attn.qkv.weight)
    fresh = [f"{side}.{part}" for side in ("query", "key") for part in ("weight", "bias")]
    assert after.report == [
        "query_key: plain in the file, norm+rotary here",
        *(f"blocks.*.steps.0.attn.query_key.0.{name}: starts fresh" for name in fresh),
    ]


def test_norms_of_queries_and_keys_go_with_their_attention(tmp_path):
    before, after = changed(tmp_path, "space", saved={"pooling": "mean", "query_key": "norm"}, attention="divided")

    for old, new in zip(before.blocks, after.network.blocks, strict=True):
        norm = old.steps[0].attn.query_key[0].query.weight
        assert all(torch.equal(step.attn.query_key[0].query.weight, norm) for step in new.steps)
    torch.testing.assert_close(logits(after.network), logits(before), atol=1e-5, rtol=1e-5)
    assert verdict(after).endswith("computes at first what it did")


def test_what_starts_fresh_is_named(tmp_path):
    _, after = changed(tmp_path, "joint", attention="trajectory")

    assert [line for line in after.report if "starts fresh" in line] == [
        "blocks.*.steps.0.path_q.weight: starts fresh",
        "blocks.*.steps.0.path_q.bias: starts fresh",
        "blocks.*.steps.0.path_kv.weight: starts fresh",
        "blocks.*.steps.0.path_kv.bias: starts fresh",
    ]


def test_more_late_blocks_do_nothing_at_first(tmp_path):
    before, after = changed(tmp_path, "space>time(1)", attention="space>time(3)")

    torch.testing.assert_close(logits(after.network), logits(before), atol=1e-6, rtol=1e-6)
    assert "temporal block 2: fresh, does nothing at first" in after.report


def test_the_late_stage_of_a_factorised_encoder_takes_another_length(tmp_path):
    before, after = changed(tmp_path, "space>time(2)", num_frames=6, image_size=48)

    torch.testing.assert_close(logits(after.network, 6, 48), logits(before, 6, 48), atol=1e-5, rtol=1e-5)
    assert after.network.temporal.position.table.shape == (1, 1 + 6, 32)
    assert after.report == [
        "position.table: resized, (4, 4) -> (6, 6), bicubic",
        "temporal.position.table: resized, 4 frames -> 6, bicubic",
    ]


def test_an_image_model_is_the_spatial_stage_of_a_factorised_encoder(tmp_path):
    before, after = changed(tmp_path, "space", attention="space>time(2)")

    for name, value in before.state_dict().items():
        if not name.startswith("head."):
            assert torch.equal(after.network.state_dict()[f"spatial.{name}" if "patch" not in name else name], value)
    assert "temporal: 2 fresh blocks on frames, so the network computes something else at first" in after.report


def test_attentive_pooling_starts_fresh_by_name(tmp_path):
    _, after = changed(tmp_path, pooling="attentive")

    assert "readout.query: starts fresh" in after.report


@pytest.mark.parametrize("attention", ["divided", "joint", "space>time(2)", WINDOW, "time+space+peg"])
def test_every_tensor_of_a_new_network_is_replaced_or_named(tmp_path, attention):
    """Two runs that start from different fresh weights differ only where the report says "fresh" or "reset"."""
    small_model("divided").save_pretrained(tmp_path)
    torch.manual_seed(1)
    one = load(tmp_path, attention=attention, num_classes=7)
    torch.manual_seed(2)
    two = load(tmp_path, attention=attention, num_classes=7)

    for name, value in one.network.state_dict().items():
        if not torch.equal(value, two.network.state_dict()[name]):
            starred = ".".join("*" if part.isdigit() and i == 1 else part for i, part in enumerate(name.split(".")))
            told = name.startswith("head.") or name.startswith("temporal.") or f"{starred}: starts fresh" in one.report
            silent = "peg" in attention and "steps.2" in name
            assert told or silent, name


def test_a_network_of_the_same_configuration_is_untouched(tmp_path):
    before, after = changed(tmp_path)

    assert after.report == []
    fresh = build_network(dataclasses.replace(SMALL))
    assert fresh.state_dict().keys() == after.network.state_dict().keys()
    for name, value in before.state_dict().items():
        assert torch.equal(after.network.state_dict()[name], value)
