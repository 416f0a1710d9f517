"""A trained network as files, in floating point and small."""

from functools import cache
from importlib.util import find_spec

import pytest
import torch
import torch.nn.functional as F

from vidattn.calibration.calibration import Calibration
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.data.clips.sampling import StrideSampling
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.normalize import NORMALIZATIONS, Normalize
from vidattn.preprocessing import Preprocessing, SamplingRule
from vidattn.public import public_path

needs_torchao = pytest.mark.skipif(find_spec("torchao") is None, reason="torchao rounds the weights: vidattn[export]")


def pretrained(network, names):
    """With all that is to be kept beside weights: names, sampling, a temperature."""
    mean, std = NORMALIZATIONS["timesformer"]
    frames = network.config.num_frames
    sampling = SamplingRule(public_path(StrideSampling), {"num_frames": frames, "frame_stride": 1})
    prepared = Preprocessing(sampling, network.config.picture, mean, std)
    return Pretrained(network.eval(), names, prepared, calibration=Calibration(temperature=1.5), licence="CC0")


CLASSES = ["dark", "grey", "light"]  # of tests/tiny_run.py


@cache
def bright():
    """A network that tells how bright the clips of `tiny_run` are, trained in two seconds."""
    torch.manual_seed(0)
    config = VideoTransformerConfig(
        "divided", num_classes=3, num_frames=4, image_size=32, patch_size=8, embed_dim=64, depth=2, num_heads=2,
        init_std=0.1,
    )  # fmt: skip
    network, normalize = config.build().train(), Normalize(*NORMALIZATIONS["timesformer"])
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    with torch.enable_grad():
        for _ in range(60):
            clips, labels = bright_clips(8)
            loss = F.cross_entropy(network(normalize(clips)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval().requires_grad_(False)


def bright_clips(count):
    """uint8 `(count, 3, 4, 32, 32)` and their classes."""
    labels = torch.randint(3, (count,))
    noise = torch.randint(60, (count, 3, 4, 32, 32))
    return (noise + 90 * labels.view(-1, 1, 1, 1, 1)).to(torch.uint8), labels
