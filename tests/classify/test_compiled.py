import pytest
import torch
from torch import nn

from vidattn.classify.compiled import Compiled


@pytest.fixture
def compilations(monkeypatch):
    """Sizes of the clips that something was compiled for; what is compiled is the graph as it stands."""
    made = []

    def backend(graph, inputs):
        made.append(next(tuple(one.shape[1:]) for one in inputs if isinstance(one, torch.Tensor) and one.dim() == 5))
        return graph.forward

    compiled = torch.compile
    monkeypatch.setattr(torch, "compile", lambda call: compiled(call, backend=backend))
    torch._dynamo.reset()
    yield made
    torch._dynamo.reset()


class Means(nn.Module):
    """A network of one layer over the mean of a clip."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 2)

    def forward(self, clips):
        return self.layer(clips.flatten(1).mean(1, keepdim=True))


@torch.inference_mode()
def test_batches_of_any_length_take_one_compilation_for_each_size(compilations):
    network = Means()
    compiled = Compiled(network)

    for length in (8, 8, 3, 1, 5):
        clips = torch.randn(length, 3, 2, 4, 4)
        torch.testing.assert_close(compiled(clips), network.forward(clips))
    assert compilations == [(3, 2, 4, 4)]
    for length in (4, 1):
        compiled(torch.randn(length, 3, 2, 6, 6))
    assert compilations == [(3, 2, 4, 4), (3, 2, 6, 6)]


@torch.inference_mode()
def test_clips_that_come_one_by_one_are_not_computed_twice(monkeypatch):
    lengths = []
    monkeypatch.setattr(nn.Module, "compile", lambda self: None)
    network = Means()
    network.register_forward_pre_hook(lambda _, inputs: lengths.append(len(inputs[0])))
    compiled = Compiled(network)
    for length in (1, 1, 2, 1):
        assert compiled(torch.randn(length, 3, 2, 4, 4)).shape == (length, 2)
    assert lengths == [1, 1, 2, 2]
