"""Whether reading videos or the model is the bottleneck."""

import math
import statistics
import time

import torch
import torch.nn.functional as F

from vidattn.models.presets import Schemed, build_network
from vidattn.wording import counted


def bottleneck(worker_speed: float, model_speed: float | None, cores: int) -> str:
    """A sentence that names the bottleneck.

    >>> bottleneck(20.0, 50.0, cores=8)
    'the model takes 50.0 clips per second, a worker gives 20.0: 3 workers feed it (there are 8 cores)'
    >>> bottleneck(20.0, 500.0, cores=8)  # doctest: +ELLIPSIS
    'decoding will be the bottleneck: the model takes 500.0 clips per second, a worker gives 20.0, so 25 workers ...'
    >>> bottleneck(20.0, None, cores=8)  # doctest: +ELLIPSIS
    'a worker gives 20.0 clips per second, 8 cores about 160: ...'
    """
    if model_speed is None:
        return (
            f"a worker gives {worker_speed:.1f} clips per second, {counted(cores, 'core')} about "
            f"{worker_speed * cores:.0f}: decoding will be the bottleneck of a model that trains on more (tell it by "
            "--model_clips_per_second)"
        )
    needed = math.ceil(model_speed / worker_speed)
    there = f"there {'is' if cores == 1 else 'are'} {counted(cores, 'core')}"
    if needed <= cores:
        return (
            f"the model takes {model_speed:.1f} clips per second, a worker gives {worker_speed:.1f}: "
            f"{counted(needed, 'worker')} feed{'' if needed > 1 else 's'} it ({there})"
        )
    return (
        f"decoding will be the bottleneck: the model takes {model_speed:.1f} clips per second, a worker gives "
        f"{worker_speed:.1f}, so {needed} workers are needed and {there}; vidattn prepare makes files "
        "that are read about 4 times as fast"
    )


def training_speed(config: Schemed, rounds: int = 3, batch_size: int = 4) -> float:
    """Clips per second of a training step of a network, on the accelerator if there is one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = build_network(config).to(device).train()
    clips = torch.randn(batch_size, 3, config.num_frames, *config.size, device=device)
    labels = torch.zeros(batch_size, dtype=torch.long, device=device)
    seconds: list[float] = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        F.cross_entropy(network(clips), labels).backward()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return batch_size / statistics.median(seconds[1:])
