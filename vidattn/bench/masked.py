"""What an encoder's step costs on what a mask leaves of a clip, beside a step on the whole clip."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from vidattn.bench.model import step
from vidattn.bench.timing import interleaved
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.masks import TubeMask
from vidattn.models.network import Network


def masked_against_whole(
    config: VideoTransformerConfig, ratio: float, batch_size: int, rounds: int, bf16: bool
) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Seconds of each round, and multiply-accumulates of a clip's forward pass, of the encoder on the whole clip
    ("whole") and on what a tube mask leaves ("masked").

    A step is forward and backward through the network without its head, random weights, on the GPU if there is one.

    Args:
        config: the network.
        ratio: share of places that are hidden.
        batch_size: clips at once, each with a mask of its own.
        rounds: interleaved runs of each.
        bf16: under autocast.

    Raises:
        ValueError: the network cannot leave places out, or the mask leaves nothing or everything.
    """
    grid, clip = config.native_grid, (config.num_frames, *config.size)
    keep = TubeMask(ratio).keep(grid, list(range(batch_size)))
    config.check_keeps(keep)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = config.build().to(device).train()
    for part in (network.readout, network.head):
        part.requires_grad_(False)
    video = torch.randn(batch_size, 3, *clip, device=device)
    seen = {"whole": None, "masked": type(keep)(keep.places.to(device))}
    runs = {name: partial(step, partial(tokens, network, what), (video,), True) for name, what in seen.items()}
    with torch.autocast(device, torch.bfloat16, enabled=bf16):
        seconds = interleaved(runs, rounds)
    macs = {name: network.features_macs(*clip, what).total for name, what in (("whole", None), ("masked", keep))}
    return seconds, macs


def tokens(network: Network, keep: Any, video: Tensor) -> Tensor:
    """What the encoder makes of what is kept."""
    return network.features(video, keep, normalized=True).tokens
