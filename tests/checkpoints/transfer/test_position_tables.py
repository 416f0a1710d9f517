import dataclasses

import pytest
import torch
import torch.nn.functional as F
from small_networks import logits, random_network, randomised, small_model

from vidattn.checkpoints.loading import load, load_weights
from vidattn.checkpoints.transfer.position_tables import resized_map_as_official
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing, SamplingRule
from vidattn.training.video_classifier import VideoClassifier


def changed(tmp_path, old="divided", saved=None, **changes):
    """A network with random weights, and what it becomes."""
    model = small_model(old, **(saved or {}))
    model.save_pretrained(tmp_path)
    return model.network, load(tmp_path, **changes)


@pytest.mark.parametrize("old", ["space+time", "sine", "none"])
def test_every_table_can_be_written_as_one_of_tokens(tmp_path, old):
    before, after = changed(tmp_path, "joint", saved={"position": old}, position="token")

    torch.testing.assert_close(logits(after.network), logits(before), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("attention", ["space", "space>time(2)"])
def test_a_stage_of_single_frames_takes_the_mean_of_a_table_of_tokens(tmp_path, attention):
    """Of a stage of its own kind it takes the table as it is."""
    before, after = changed(tmp_path, "joint", saved={"position": "token"}, attention=attention)

    table = after.network.state_dict()[f"{'spatial.' if '>' in attention else ''}position.table"]
    places = before.position.table[:, 1:].unflatten(1, (4, 16)).mean(1)
    torch.testing.assert_close(table, torch.cat((before.position.table[:, :1], places), dim=1))

    after.save_pretrained(tmp_path)
    again = load(tmp_path)
    assert again.report == after.report
    assert torch.equal(logits(again.network), logits(after.network))


def test_a_table_of_tokens_that_is_a_sum_becomes_places_and_times(tmp_path):
    before = random_network("joint")
    model = small_model("joint", position="token")
    model.network.load_state_dict(
        model.network.state_dict() | {k: v for k, v in before.state_dict().items() if "table" not in k}
    )
    prefix, places = before.position.table.split((1, 16), dim=1)
    tokens = (places[:, None] + before.time.table[:, :, None]).flatten(1, 2)
    model.network.position.table.data = torch.cat((prefix, tokens), dim=1)
    model.save_pretrained(tmp_path)

    after = load(tmp_path, position="space+time")

    torch.testing.assert_close(logits(after.network), logits(before), atol=1e-5, rtol=1e-5)
    assert any(line.endswith("the means over frames and over places") for line in after.report)


def test_registers_join_the_class_token_and_start_fresh(tmp_path):
    before, after = changed(tmp_path, pooling="registers")

    assert torch.equal(after.network.prefix[:, :1], before.prefix)
    assert not after.network.position.table[:, 1:5].any()
    assert "pooling: class_token in the file, registers here" in after.report


def test_mean_pooling_leaves_the_class_token_behind(tmp_path):
    before, after = changed(tmp_path, "joint", pooling="mean")

    assert torch.equal(after.network.position.table, before.position.table[:, 1:])
    assert logits(after.network).isfinite().all()


def config(attention="divided", **changes):
    """Two heads of 64, as the official files have them: they do not say how many there are."""
    small = VideoTransformerConfig(
        attention, num_classes=5, num_frames=4, image_size=32, patch_size=8, embed_dim=128, depth=2, num_heads=2
    )
    return dataclasses.replace(small, **changes)


def our_file(path, network):
    module = VideoClassifier(network.config)
    module.network.load_state_dict(network.state_dict())
    module.class_names = ["a", "b", "c", "d", "e"]
    module.preprocessing = Preprocessing(SamplingRule("x.Y", {"num_frames": 4}), 32)
    checkpoint = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(checkpoint)
    torch.save(checkpoint, path)
    return path


def test_resized_tables_do_what_the_network_does_at_run_time(tmp_path):
    """Tables resized once, while loading, and tables resized in every forward pass give the same logits."""
    network, wanted = randomised(config()), config(num_frames=6, image_size=48)
    target = build_network(wanted).eval()
    load_weights(target, wanted, our_file(tmp_path / "ours.ckpt", network))

    torch.testing.assert_close(logits(target, 6, 48), logits(network, 6, 48))


def test_the_class_tokens_position_is_kept_and_rows_are_not_columns(tmp_path):
    network, wanted = randomised(config()), config(image_size=(32, 64))
    with torch.no_grad():
        rows = torch.arange(4.0).view(4, 1).expand(4, 4)
        network.position.table[0, 1:, 0] = rows.flatten()
    target = build_network(wanted)

    load_weights(target, wanted, our_file(tmp_path / "ours.ckpt", network))

    assert torch.equal(target.position.table[:, 0], network.position.table[:, 0])
    torch.testing.assert_close(target.position.table[0, 1:, 0].view(4, 8), torch.arange(4.0).view(4, 1).expand(4, 8))


def test_a_longer_time_table_lies_between_its_neighbours(tmp_path):
    network, wanted = randomised(config()), config(num_frames=8)
    target = build_network(wanted)

    load_weights(target, wanted, our_file(tmp_path / "ours.ckpt", network))

    old, new = network.time.table[0], target.time.table[0]
    torch.testing.assert_close(new[1], 0.75 * old[0] + 0.25 * old[1])
    torch.testing.assert_close(new[2], 0.25 * old[0] + 0.75 * old[1])
    assert not torch.equal(new[1], F.interpolate(old.T[None], 8, mode="nearest")[0].T[1])


def test_the_official_rules_take_the_nearest_vector_in_a_row(tmp_path):
    network, wanted = randomised(config()), config(num_frames=6, image_size=64)
    target = build_network(wanted)

    report = load_weights(target, wanted, our_file(tmp_path / "ours.ckpt", network), resize="official").report

    assert report == [
        "position.table: resized, (4, 4) -> (8, 8), nearest, in a row",
        "time.table: resized, 4 frames -> 6, nearest",
    ]
    places, times = network.position.table[0], network.time.table[0]
    assert torch.equal(target.position.table[0, 0], places[0])
    for place in range(64):
        assert torch.equal(target.position.table[0, 1 + place], places[1 + place * 16 // 64])
    assert [int((times == row).all(1).nonzero()) for row in target.time.table[0]] == [0, 0, 1, 2, 2, 3]


def test_the_official_rules_lose_the_place_of_most_vectors():
    """14 x 14 -> 28 x 28: only 7.1% come from the place that 2-D nearest would take them from."""
    table = torch.arange(197.0).view(1, 197, 1)

    row = resized_map_as_official(table, (14, 14), (28, 28))[0, 1:, 0]

    plane = F.interpolate(table[0, 1:, 0].view(1, 1, 14, 14), (28, 28), mode="nearest").flatten()
    assert (row == plane).float().mean().item() == pytest.approx(0.071, abs=5e-4)
