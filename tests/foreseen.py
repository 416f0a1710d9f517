"""A network that can be foreseen, and a checkpoint as `vidattn fit` leaves it."""

import dataclasses
from pathlib import Path

import numpy as np
import torch
from encode import encode_video
from torch import Tensor, nn

from vidattn.classify.classifier import Classifier
from vidattn.classify.preparation import Preparation
from vidattn.data.clips.sampling import StrideSampling
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing, SamplingRule

LEVELS = {"dark": 30, "grey": 120, "light": 220}
CONFIG = VideoTransformerConfig(
    attention="divided", num_classes=3, num_frames=4, image_size=32, patch_size=8, embed_dim=16, depth=2, num_heads=2
)
PREPROCESSING = Preprocessing(
    SamplingRule("vidattn.data.StrideSampling", {"num_frames": 4, "frame_stride": 3}),
    32,
    (0.1, 0.2, 0.3),
    (0.5, 0.6, 0.7),
)


class Brightness(nn.Module):
    """Answers dark, grey or light by the mean of a clip that was normalised by mean 0 and std 1."""

    def forward(self, video: Tensor) -> Tensor:
        levels = torch.tensor(list(LEVELS.values()), device=video.device) / 255
        return -300 * (video.mean((1, 2, 3, 4))[:, None] - levels) ** 2


def brightness_classifier(num_frames: int = 4, frame_stride: int = 2, **options) -> Classifier:
    preparation = Preparation(StrideSampling(num_frames, frame_stride), 32, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), **options)
    return Classifier(Brightness(), list(LEVELS), preparation)


def plain_video(path: Path, levels: list[int], fps: int = 10, **options) -> Path:
    """One plain frame for each level."""
    frames = (np.full((48, 64, 3), level, np.uint8) for level in levels)
    return encode_video(path, frames, fps, options={"preset": "ultrafast", "g": "250", "qp": "10"}, **options)


def write_checkpoint(
    path: Path, config=CONFIG, names=("run", "jump & land", "sit"), preprocessing=PREPROCESSING
) -> Path:
    """What `vidattn fit` writes, with random weights."""
    torch.manual_seed(0)
    network = build_network(config)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours = {"format": 1, "network": dataclasses.asdict(config), "class_names": list(names)}
    state = {f"network.{name}": value for name, value in network.state_dict().items()}
    torch.save({"state_dict": state, "vidattn": ours | {"preprocessing": preprocessing.to_dict()}}, path)
    return path
