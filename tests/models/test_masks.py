"""Which tokens a mask leaves of a clip."""

import pytest
import torch

from vidattn.grid import Grid
from vidattn.models.keep import Columns, MaskTokens, Tokens
from vidattn.models.masks import FrameMask, RandomMask, TubeMask

GRID = Grid(4, 3, 5)


@pytest.mark.parametrize("mask", [TubeMask(0.8), RandomMask(0.8), FrameMask(0.5)])
def test_what_is_seen_and_what_is_hidden_are_all_tokens_once(mask):
    keep = mask.keep(GRID, [3, 4])
    both = torch.cat((keep.tokens(GRID), keep.hidden(GRID)), dim=1)
    assert both.sort(dim=1).values.tolist() == [list(range(60))] * 2
    assert keep.hidden(GRID).diff(dim=1).min() > 0
    assert keep.hidden(GRID).shape[1] == round(mask.ratio * 60)


@pytest.mark.parametrize("mask", [TubeMask(0.8), RandomMask(0.8), FrameMask(0.5)])
def test_a_clips_mask_depends_on_its_seed_and_not_on_the_others(mask):
    alone = mask.keep(GRID, [4]).places
    assert torch.equal(mask.keep(GRID, [3, 4, 5]).places[1:2], alone)
    masks = {tuple(mask.keep(GRID, [seed]).places[0].tolist()) for seed in range(20)}
    assert len(masks) > 4


def test_a_tube_hides_the_same_places_of_all_frames_a_frame_mask_whole_frames_a_random_mask_neither():
    def hidden(mask):
        return torch.zeros(60).index_fill_(0, mask.keep(GRID, [1]).hidden(GRID)[0], 1.0).view(4, 15)

    assert (hidden(TubeMask(0.8)).mean(0) % 1 == 0).all()
    assert (hidden(FrameMask(0.5)).mean(1) % 1 == 0).all()
    assert (hidden(RandomMask(0.8)).mean(0) % 1 != 0).any()
    assert (hidden(RandomMask(0.8)).mean(1) % 1 != 0).any()


def test_videomaes_own_number_of_places_is_left():
    assert TubeMask(0.9).keep(Grid(8, 14, 14), [0]).places.shape == (1, 196 - 176)


def test_each_place_is_hidden_as_often_as_any_other():
    often = torch.zeros(15)
    for seed in range(500):
        often[TubeMask(0.8).keep(GRID, [seed]).places[0]] += 1
    assert often.min() > 60  # 100 are expected of each; 4.5 standard deviations
    assert often.max() < 140


def test_numbers_of_tokens_count_along_frames_then_rows_then_columns():
    clip = torch.arange(60).view(1, 4, 3, 5, 1)
    for keep in (Columns(torch.tensor([[2, 7]])), Tokens(torch.tensor([[8, 59]]))):
        assert keep.take(clip).flatten().tolist() == keep.tokens(GRID)[0].tolist()
    masked = MaskTokens(torch.tensor([[8, 59]]), torch.zeros(3))
    assert masked.tokens(GRID).tolist() == [[8, 59]]
    assert masked.grid(GRID) == GRID


@pytest.mark.parametrize("ratio", [0, 1, -0.1, 1.5, float("nan")])
def test_a_ratio_that_leaves_nothing_or_everything_is_refused(ratio):
    with pytest.raises(ValueError, match=f"mask ratio={ratio} must lie between 0"):
        TubeMask(ratio)


@pytest.mark.parametrize(
    ("mask", "what"),
    [
        (TubeMask(0.05), "hides nothing of 15 places of a frame; ratios from 0.067"),
        (RandomMask(0.01), "hides nothing of 60 tokens of a clip"),
        (FrameMask(0.2), "hides nothing of 4 frames of tokens; ratios from 0.25"),
    ],
)
def test_a_ratio_too_small_for_the_clip_is_refused(mask, what):
    with pytest.raises(ValueError, match=what):
        mask.keep(GRID, [0])


def test_a_map_of_one_place_cannot_be_hidden_in_part():
    with pytest.raises(ValueError, match="take a longer or larger clip"):
        TubeMask(0.5).keep(Grid(4, 1, 1), [0])
