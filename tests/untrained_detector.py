"""A checkpoint of a detector that was never trained, with layers that all matter."""

from pathlib import Path

import torch

from vidattn import ActionDetector, VideoTransformerConfig
from vidattn.models import Queries
from vidattn.preprocessing import Preprocessing, SamplingRule

NAMES = ["run", "jump", "sit"]
NETWORK = VideoTransformerConfig(
    attention="joint", num_classes=3, num_frames=4, image_size=32, patch_size=8, embed_dim=16, depth=1, num_heads=2
)


def untrained(num_boxes: int = 2) -> ActionDetector:
    """The task."""
    torch.manual_seed(0)
    task = ActionDetector(NETWORK, Queries(4, num_boxes, 16, 2, 2))
    for parameter in task.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    task.class_names = list(NAMES)
    rule = {"num_frames": 4, "frame_stride": 2}
    task.preprocessing = Preprocessing(SamplingRule("vidattn.data.StrideSampling", rule), 32)
    return task.eval()


def write_untrained(file: Path, num_boxes: int = 2) -> ActionDetector:
    """The task, whose checkpoint is in the file."""
    task = untrained(num_boxes)
    saved = {"state_dict": task.state_dict()}
    task.on_save_checkpoint(saved)
    torch.save(saved, file)
    return task
