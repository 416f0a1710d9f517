import pytest
import torch

from vidattn.training.spread import Spread


def test_it_is_torchs_deviation_of_all_clips_in_whatever_batches():
    torch.manual_seed(0)
    features = 5 + torch.randn(11, 3)
    spread = Spread(3)
    for batch in features.split(4):
        spread.update(batch)

    assert spread.compute().item() == pytest.approx(features.std(0).mean().item(), rel=1e-5)


def test_clips_that_look_alike_are_a_collapse():
    spread = Spread(4)
    spread.update(torch.full((6, 4), 1e3))

    assert spread.compute() == 0


def test_one_clip_has_none():
    spread = Spread(2)
    spread.update(torch.zeros(1, 2))

    assert spread.compute().isnan()
