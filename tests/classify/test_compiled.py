import pytest
import torch
from foreseen import brightness_classifier

from vidattn.classify.compiled import Compiled
from vidattn.models.presets import build_network, preset


@pytest.fixture
def compilations(monkeypatch):
    """Sizes of the clips that something was compiled for; what is compiled is the graph as it stands."""
    made = []

    def backend(graph, inputs):
        made.append(
            [tuple(value.shape[1:]) for value in inputs if isinstance(value, torch.Tensor) and value.dim() == 5][0]
        )
        return graph.forward

    compiled = torch.compile
    monkeypatch.setattr(torch, "compile", lambda call: compiled(call, backend=backend))
    torch._dynamo.reset()
    yield made
    torch._dynamo.reset()


@pytest.mark.parametrize("scheme", ["divided", "joint", "time+window(2)"])
@torch.inference_mode()
def test_batches_of_any_length_take_one_compilation_for_each_size(compilations, scheme):
    network = build_network(preset("Ti", attention=scheme, num_frames=2, image_size=32, num_classes=3)).eval()
    compiled = Compiled(network)

    for length in (8, 8, 3, 1, 5):
        clips = torch.randn(length, 3, 2, 32, 32)
        torch.testing.assert_close(compiled(clips), network.forward(clips), atol=1e-4, rtol=1e-4)
    assert len(compilations) == 1
    for length in (4, 1):
        compiled(torch.randn(length, 3, 2, 48, 48))
    assert compilations == [(3, 2, 32, 32), (3, 2, 48, 48)]


@torch.inference_mode()
def test_one_clip_after_another_is_not_computed_twice(compilations):
    seen = []
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
    network.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    compiled = Compiled(network)
    for _ in range(3):
        compiled(torch.randn(1, 3, 1, 2, 2))
    assert set(seen) == {1}


def test_answers_are_the_same_compiled(compilations):
    classifier = brightness_classifier()
    clips = torch.randint(0, 256, (9, 3, *classifier.views(torch.zeros(4, 8, 8, 3, dtype=torch.uint8)).video.shape[2:]))
    expected = classifier.probabilities(clips.to(torch.uint8))
    classifier._compiled = Compiled(classifier.network)
    torch.testing.assert_close(classifier.probabilities(clips.to(torch.uint8)), expected)
