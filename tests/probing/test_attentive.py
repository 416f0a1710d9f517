"""Attentive probes against a plain training of the same layers, one at a time."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vidattn.models import AttentiveProbe
from vidattn.probing import AttentiveProbes, LabelledRows, Setting

SETTINGS = (Setting(1e-3, 0.1), Setting(3e-3, 0.01))


def rows_of_tokens():
    """The class is where the large token lies: no mean over tokens tells it."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(12) % 3
    tokens = 0.1 * torch.randn(12, 1, 6, 8, generator=generator)
    for place, label in enumerate(labels):
        tokens[place, :, label] += torch.eye(8)[label] * 2
    return LabelledRows(list(tokens), labels)


def test_each_setting_learns_what_it_learns_alone_in_a_plain_loop():
    rows = rows_of_tokens()

    fitted = AttentiveProbes(SETTINGS, epochs=3, batch_size=12).fit(rows, 3, seed=5)

    for number, setting in enumerate(SETTINGS):
        torch.manual_seed(5)
        probe = nn.Sequential(AttentiveProbe(8), nn.Linear(8, 3))
        optimizer = torch.optim.AdamW(probe.parameters(), lr=setting.lr, weight_decay=setting.weight_decay)
        x = torch.cat(list(rows.views))
        for step in range(3):
            optimizer.param_groups[0]["lr"] = setting.lr * (1 + math.cos(math.pi * step / 3)) / 2
            optimizer.zero_grad()
            F.cross_entropy(probe(x), rows.labels).backward()
            optimizer.step()
        for ours, theirs in zip(fitted.probes[number].parameters(), probe.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=2e-4)


def test_answers_are_means_over_views():
    rows = rows_of_tokens()
    fitted = AttentiveProbes((Setting(0.003, 0.1), Setting(0.01, 0.01)), epochs=30, batch_size=6).fit(rows, 3)
    twice = LabelledRows([torch.cat((views, views.flip(1))) for views in rows.views], rows.labels)

    one, both = fitted.probabilities(rows), fitted.probabilities(twice)

    flipped = fitted.probabilities(LabelledRows([views.flip(1) for views in rows.views], rows.labels))
    torch.testing.assert_close(both, (one + flipped) / 2)
    assert (one[1].argmax(-1) == rows.labels).all()


def test_numbers_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="there is no setting to train"):
        AttentiveProbes(settings=())
