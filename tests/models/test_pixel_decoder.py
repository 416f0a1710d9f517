"""The decoder of a masked autoencoder, its targets and its price."""

from dataclasses import replace

import pytest
import torch
from golden import SMALL, drawn, filled
from torch.utils.flop_counter import FlopCounterMode

from vidattn.grid import Grid
from vidattn.models.masks import RandomMask, TubeMask
from vidattn.models.pixel_decoder import Decoder, patch_statistics, patches_of, pixels_of_a_patch, video_of

GRID = Grid(4, 4, 4, 0)


def test_patches_are_cut_and_put_together_again():
    video = drawn("patches", torch.Size((2, 3, 4, 32, 32)))
    patches = patches_of(video, GRID)
    assert patches.shape == (2, 64, pixels_of_a_patch(SMALL)) == (2, 64, 3 * 8 * 8)
    assert torch.equal(patches[1, 16 + 4 * 1 + 2].view(8, 8, 3), video[1, :, 1, 8:16, 16:24].permute(1, 2, 0))
    assert torch.equal(video_of(patches, GRID, 4, 32, 32), video)


def test_each_channel_of_a_patch_has_its_own_mean_and_deviation():
    video = drawn("statistics", torch.Size((1, 3, 4, 32, 32))).float() * torch.tensor([1.0, 2, 3]).view(3, 1, 1, 1)
    patches = patches_of(video, GRID)
    mean, deviation = patch_statistics(patches)
    normed = (patches.unflatten(2, (-1, 3)) - mean) / deviation
    torch.testing.assert_close(normed.mean(2), torch.zeros(1, 64, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normed.std(2), torch.ones(1, 64, 3), atol=1e-4, rtol=0)


@pytest.mark.parametrize("depth", [0, 2])
@pytest.mark.parametrize("prefix", [0, 5])
def test_its_cost_is_what_torch_counts(depth, prefix):
    keep = RandomMask(0.75).keep(GRID, [1])
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        decoder = Decoder(24, depth, 2, 2.0).build(SMALL, 32)
        keep = replace(keep, places=keep.places.to("meta"))
        painted = decoder(torch.randn(1, prefix, 32), torch.randn(1, 16, 32), keep, GRID)
    assert painted.shape == (1, 48, 192)
    assert counter.get_total_flops() == 2 * decoder.macs(prefix, 16, GRID).total


def test_a_hidden_place_is_painted_by_what_was_seen_and_by_where_it_is():
    decoder = filled(Decoder(24, 1, 2).build(SMALL, 32)).double()
    keep = TubeMask(0.75).keep(GRID, [1])
    seen = drawn("seen", torch.Size((1, 16, 32)))
    painted = decoder(seen[:, :0], seen, keep, GRID)
    nudged = seen.clone()
    nudged[0, 3] += 1
    assert ((decoder(seen[:, :0], nudged, keep, GRID) - painted).abs().amax(2) > 1e-7).all()
    assert (painted[0, 1:] - painted[0, :-1]).abs().amax(1).min() > 1e-6


def test_every_weight_gets_a_gradient():
    decoder = Decoder(24, 2, 2).build(SMALL, 32)
    decoder(torch.randn(2, 1, 32), torch.randn(2, 16, 32), TubeMask(0.75).keep(GRID, [1, 2]), GRID).sum().backward()
    assert [name for name, parameter in decoder.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("numbers", [(24, 2, 5), (24, -1, 2), (0, 2, 1), (24, 2, 0)])
def test_numbers_that_make_no_decoder_are_refused(numbers):
    with pytest.raises(ValueError, match="wanted a width that is a multiple of the heads, and a depth of 0 or more"):
        Decoder(*numbers)
