"""What all networks over clips do with their input and blocks."""

import pytest
import torch
from small_networks import random_network

from vidattn.attention.scheme import STEPS

schemes = pytest.mark.parametrize(
    "attention", ["divided", "joint", "space", "axial", "local+global", "temporal+space", "space|time", "space>time(3)"]
)


@schemes
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 4, 30, 32), r"input=30x32: 30 is not a multiple of patch_size=8; nearest sizes are 24 and 32"),
        ((1, 4, 3, 32, 32), r"wanted clips \(batch, 3, frames, height, width\)"),
        ((3, 4, 32, 32), r"wanted clips \(batch, 3, frames, height, width\)"),
    ],
)
def test_a_wrong_input_says_what_was_wanted(attention, shape, message):
    with pytest.raises(ValueError, match=message):
        random_network(attention)(torch.zeros(shape))


@pytest.mark.parametrize("attention", [*STEPS, "divided", "axial", "space>time(1)"])
def test_a_batch_without_clips_gets_logits_of_no_clips(attention):
    with torch.no_grad():
        assert random_network(attention)(torch.empty(0, 3, 4, 32, 32)).shape == (0, 5)


def test_pixels_that_are_not_normalised_are_refused():
    with pytest.raises(ValueError, match="wanted normalised floats"):
        random_network()(torch.zeros(1, 3, 4, 32, 32, dtype=torch.uint8))


@schemes
def test_gradient_checkpointing_changes_memory_only(attention):
    video = torch.randn(2, 3, 4, 32, 32)
    plain, saving = random_network(attention).train(), random_network(attention, gradient_checkpointing=True).train()
    for net in (plain, saving):
        net(video).square().sum().backward()
    for (name, one), other in zip(plain.named_parameters(), saving.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, msg=name)


@schemes
def test_dropout_and_drop_path_act_in_training_only(attention):
    net, video = random_network(attention, dropout=0.2, drop_path=0.5), torch.randn(2, 3, 4, 32, 32)
    assert torch.equal(net(video), net(video))
    net.train()
    assert not torch.equal(net(video), net(video))


def test_drop_path_skips_an_update_for_a_whole_clip():
    net = random_network("divided", drop_path=0.9, depth=2).train()
    block, grid = net.blocks[1], net.config.grid(4, 32, 32)
    torch.manual_seed(0)
    x = torch.randn(1, grid.num_tokens, 32).expand(64, -1, -1)
    update = (block(x, grid) - x).flatten(1).abs().amax(1)
    skipped = (update == 0).float().mean()
    assert 0.5 < skipped < 0.9  # all three updates at once: 0.9^3 = 0.73
