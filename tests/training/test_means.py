import pytest
import torch
from torch import nn

from vidattn.training.means import Means, log_means
from vidattn.training.spread import Spread


def test_means_are_those_over_all_clips_of_all_processes():
    one, other = Means(["loss", "share"]), Means(["loss", "share"])
    one.update(1, [torch.tensor(2.0), torch.tensor(1.0)])
    one.update(3, [torch.tensor(6.0), torch.tensor(0.0)])
    other.update(0, [])
    for name in ("totals", "clips"):  # as processes sum them
        setattr(other, name, one._reductions[name](torch.stack([getattr(one, name), getattr(other, name)])))

    assert {name: value.item() for name, value in other.compute().items()} == {"loss": 5.0, "share": 0.25}


class Logged(nn.Module):
    """Keeps what is logged."""

    def __init__(self):
        super().__init__()
        self.found = {}

    def log(self, name, value, sync_dist):
        assert sync_dist
        self.found[name] = value.item()


def test_what_no_process_has_seen_is_not_logged_and_what_was_is_forgotten():
    means, spread = Means(["loss"]), Spread(2)
    means.update(0, [])
    log_means(nothing := Logged(), "val", means, spread)
    assert nothing.found == {}

    means.update(2, [torch.tensor(4.0)])
    spread.update(torch.tensor([[0.0, 0.0], [2.0, 0.0]]))
    log_means(some := Logged(), "test", means, spread)
    assert some.found == {"test/loss": 4.0, "test/spread": pytest.approx(0.5 * 2**0.5)}
    assert not means.clips
    assert not spread.clips
