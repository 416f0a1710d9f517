"""Grids of linear probes against torch's own layer, loss and optimizer."""

import math

import pytest
import torch
import torch.nn.functional as F

from vidattn.probing import LabelledRows, LinearProbes, Setting
from vidattn.probing.linear import GRID, gradient

SETTINGS = (Setting(0.01, 0.1), Setting(0.003, 0.8))


def blobs(count=30, width=6, classes=3, views=2, noise=0.5):
    """Videos whose features lie about the centre of their class."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(classes, width, generator=generator) * 3 + 5
    labels = torch.arange(count).clamp_max(count - 8) % classes  # one class has more: a bias has something to learn
    rows = [centres[label] + noise * torch.randn(views, width, generator=generator) for label in labels]
    return LabelledRows(rows, labels)


def test_the_gradient_is_autograds():
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(2, 3, 5, generator=generator, requires_grad=True)
    x, labels = torch.randn(7, 5, generator=generator), torch.arange(7) % 3

    sum(F.cross_entropy(F.linear(x, weight[probe]), labels) for probe in range(2)).backward()

    with torch.no_grad():
        torch.testing.assert_close(gradient(x, labels, weight), weight.grad)


def test_a_probe_is_what_torchs_layer_and_optimizer_learn():
    """One view a video and all videos in a batch, so that no draw matters."""
    rows = blobs(views=1)
    probes = LinearProbes(SETTINGS, epochs=20, batch_size=64)

    fitted = probes.fit(rows, 3)

    x = torch.stack([views[0] for views in rows.views])
    x = (x - x.mean(0)) / x.std(0, correction=0)
    for number, setting in enumerate(SETTINGS):
        layer = torch.nn.Linear(6, 3)
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        optimizer = torch.optim.AdamW(layer.parameters(), lr=setting.lr, weight_decay=setting.weight_decay)
        for step in range(20):
            optimizer.param_groups[0]["lr"] = setting.lr * (1 + math.cos(math.pi * step / 20)) / 2
            optimizer.zero_grad()
            F.cross_entropy(layer(x), rows.labels).backward()
            optimizer.step()
        torch.testing.assert_close(fitted.weight[number], layer.weight.detach(), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(fitted.bias[number], layer.bias.detach(), rtol=1e-4, atol=1e-5)


def test_what_is_learnt_of_a_setting_does_not_depend_on_the_others():
    rows = blobs()

    together = LinearProbes(SETTINGS, epochs=3, batch_size=8).fit(rows, 3, seed=4)
    alone = LinearProbes(SETTINGS[1:], epochs=3, batch_size=8).fit(rows, 3, seed=4)

    torch.testing.assert_close(together.weight[1:], alone.weight)


def test_it_answers_and_its_layer_answers_alike():
    rows = blobs()
    fitted = LinearProbes(epochs=30).fit(rows, 3)

    answers = fitted.probabilities(rows)

    assert answers.shape == (len(GRID), 30, 3)
    torch.testing.assert_close(answers.sum(-1), torch.ones(len(GRID), 30))
    assert (answers[0].argmax(-1) == rows.labels).all()
    weight, bias = fitted.layer(0)
    by_layer = torch.stack([F.linear(views, weight, bias).softmax(-1).mean(0) for views in rows.views])
    torch.testing.assert_close(by_layer, answers[0], rtol=1e-4, atol=1e-5)


def test_a_number_that_never_changes_does_no_harm():
    rows = blobs()
    still = LabelledRows([torch.cat((views, torch.full((len(views), 1), 7.0)), 1) for views in rows.views], rows.labels)

    assert LinearProbes(epochs=2).fit(still, 3).probabilities(still).isfinite().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"settings": ()}, "there is no setting to train"),
        ({"epochs": 0}, "epochs=0 must be at least 1"),
        ({"settings": [Setting(0, 0.1)]}, "lr=0 must be"),
        ({"settings": [Setting(0.1, -1)]}, "weight_decay=-1 must be 0 or more"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LinearProbes(**arguments)
