import copy

import torch
from small_networks import SMALL
from torch import nn

from vidattn.flops.weightless import network_on_meta, without_weights


def test_a_network_without_weights_has_the_shapes_of_the_one_with(tmp_path):
    whole = SMALL.build()
    before = copy.deepcopy(whole.state_dict())

    for twin in (network_on_meta(SMALL), network_on_meta(whole), without_weights(whole)):
        found = twin.state_dict()
        assert {name: value.shape for name, value in found.items()} == {n: v.shape for n, v in before.items()}
        assert all(value.is_meta for value in found.values())
    for name, value in whole.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_what_is_shared_stays_shared_and_what_is_frozen_frozen():
    module = nn.ModuleDict({"a": nn.Linear(3, 3), "b": nn.Linear(3, 3)})
    module["b"].weight = module["a"].weight
    module["a"].bias.requires_grad_(False)

    twin = without_weights(module)

    assert twin["b"].weight is twin["a"].weight
    assert not twin["a"].bias.requires_grad
    assert twin["b"].bias.requires_grad


def test_types_are_those_that_are_asked_for():
    assert {p.dtype for p in network_on_meta(SMALL, torch.bfloat16).parameters()} == {torch.bfloat16}
