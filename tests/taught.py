"""A network that learns of a teacher with random weights: what tests of distillation share."""

import pytest
import torch
from golden import drawn
from small_networks import SIZES, random_network

from vidattn.checkpoints.pretrained import Pretrained
from vidattn.models.config import VideoTransformerConfig
from vidattn.preprocessing import Preprocessing
from vidattn.training.distil import Distillation
from vidattn.training.lessons import TeachLogits
from vidattn.training.map_lesson import TeachMaps

BOTH = (TeachLogits(), TeachMaps())
HALF = SIZES | {"embed_dim": 16, "init_std": 0.3}


@pytest.fixture
def taught_by(tmp_path):
    """Makes a teacher of random weights and saves it; gives a module that learns of it."""

    def make(attention="divided", lessons=BOTH, student=None, head=True, **changes):
        network = random_network(attention, **changes)
        preprocessing = Preprocessing(None, 32, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
        names = [f"class {number}" for number in range(network.config.num_classes)]
        report = [] if head else ["head: reset, none -> 5"]
        Pretrained(network, names, preprocessing, report).save_pretrained(tmp_path / "teacher")
        torch.manual_seed(1)
        config = VideoTransformerConfig(**(HALF | {"attention": attention} | (student or {})))
        return Distillation(config, str(tmp_path / "teacher"), lessons)

    return make


def clips(number=2, frames=4, size=32):
    return (drawn("distil", torch.Size((number, 3, frames, size, size))) * 60 + 128).clamp(0, 255).to(torch.uint8)


LABELS = torch.tensor([1, 3])


def learn(module, video=None):
    """The parts of the loss of a training step, and the gradients of all that is trained."""
    module.train()
    torch.manual_seed(2)
    _, loss = module.learn(module.normalize(clips() if video is None else video), LABELS)
    parts = {name: value.item() for name, value in module.parts.items()} | {"loss": loss.item()}
    module.zero_grad()
    loss.backward()
    module.on_after_backward()
    return parts, {name: p.grad for name, p in module.named_parameters() if p.requires_grad}
