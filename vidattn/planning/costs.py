"""What networks cost in training, from the counts of this package."""

import torch

from vidattn.flops.activations import kept_bytes
from vidattn.flops.counting import count
from vidattn.flops.outline import num_parameters
from vidattn.models.network import NetworkConfig
from vidattn.planning.job import Cost
from vidattn.training.masked_prediction import MaskedPrediction


def cost_of_classifier(
    name: str, config: NetworkConfig, frames: int | None = None, height: int | None = None, width: int | None = None
) -> Cost:
    """Of training a network on labels, in bf16.

    Args:
        name: for tables.
        config: the network.
        frames: of a clip; the network's own by default.
        height: in pixels; likewise.
        width: in pixels; likewise.

    Raises:
        ValueError: the network does not see such clips.
    """
    counted = count(config, frames, height, width, dtype=torch.bfloat16)
    return Cost(
        name,
        f"{counted.frames} x {counted.height} x {counted.width}",
        counted.macs,
        counted.parameters,
        counted.parameters,
        counted.activation_bytes,
        config.gradient_checkpointing,
    )


def cost_of_painting(name: str, task: MaskedPrediction, frames: int, height: int, width: int) -> Cost:
    """Of pre-training by painting what a mask hides, in bf16: the network on what it sees, and what paints the rest.

    Args:
        name: for tables.
        task: on the meta device.
        frames: of a clip.
        height: in pixels.
        width: in pixels.
    """
    task = task.to(torch.bfloat16).train()
    grid = task.config.grid(frames, height, width)
    keep = task.mask.keep(grid, [0])
    clip = torch.empty(1, 3, frames, height, width, dtype=torch.bfloat16, device="meta")

    def paint() -> object:
        features = task.network.features(clip, task.seen(on_meta, grid), normalized=True)
        return task.paint(features, on_meta, grid)

    on_meta = type(keep)(keep.places.to("meta"))
    return Cost(
        name,
        f"{frames} x {height} x {width}",
        sum(part.total for part in task.macs(frames, height, width)),
        num_parameters(task),
        sum(parameter.numel() for parameter in task.parameters() if parameter.requires_grad),
        kept_bytes(task, paint),
        task.config.gradient_checkpointing,
        pretraining=True,
    )
