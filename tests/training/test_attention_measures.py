"""How uneven attention is, in numbers known by hand."""

import math

import pytest
import torch

from vidattn.training.attention_measures import DistanceFromUniform, MissingEntropy


def test_the_extremes_of_the_measures():
    even, sharp = torch.full((2, 3, 4), 0.25), torch.eye(4)
    assert DistanceFromUniform().of(even) == MissingEntropy().of(even) == 0
    assert DistanceFromUniform().of(sharp) == pytest.approx(1.5)
    assert MissingEntropy().of(sharp) == pytest.approx(math.log(4))
    assert sharp.abs().sum(-1).unique().tolist() == [1.0]  # why the plain norm would not do
