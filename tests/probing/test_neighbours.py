import math

import pytest
import torch

from vidattn.probing import LabelledRows, Neighbours


def test_votes_are_those_of_a_plain_loop():
    generator = torch.Generator().manual_seed(0)
    train = LabelledRows(list(torch.randn(12, 2, 5, generator=generator)), torch.arange(12) % 3)
    test = LabelledRows(list(torch.randn(4, 1, 5, generator=generator)), torch.zeros(4, dtype=torch.int64))
    rule = Neighbours(settings=(1, 3, 50), temperature=0.2)

    got = rule.fit(train, 3).probabilities(test)

    for number, k in enumerate(rule.settings):
        for place, video in enumerate(test.means().tolist()):
            votes = []
            for other, label in zip(train.means().tolist(), train.labels.tolist(), strict=True):
                cosine = sum(a * b for a, b in zip(video, other, strict=True)) / (
                    math.hypot(*video) * math.hypot(*other)
                )
                votes.append((cosine, label))
            shares = [0.0] * 3
            for cosine, label in sorted(votes, reverse=True)[:k]:
                shares[label] += math.exp(cosine / 0.2)
            wanted = torch.tensor(shares) / sum(shares)
            torch.testing.assert_close(got[number, place], wanted, rtol=1e-4, atol=1e-6)


def test_numbers_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="k=0 must be at least 1"):
        Neighbours(settings=(0,))
    with pytest.raises(ValueError, match="temperature"):
        Neighbours(temperature=0)
