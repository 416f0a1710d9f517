"""What making a network small costs and saves: answers, size, time and memory of each kind, side by side."""

import copy
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from scipy.stats import binomtest
from torch import Tensor, nn

from vidattn.bench.image import peak_mib
from vidattn.bench.timing import interleaved
from vidattn.models.normalize import Normalize
from vidattn.quantization.kinds import kind_named
from vidattn.quantization.layer import Range
from vidattn.quantization.recipe import Quantization, quantize

FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
"""What a CPU may have that counts here."""


class Candidate(NamedTuple):
    """A network to compare.

    Args:
        network: takes normalised clips of its type.
        dtype: of what it is given.
        how: how it is worked out.
    """

    network: nn.Module
    dtype: torch.dtype
    how: str

    @property
    def num_bytes(self) -> int:
        """What its weights take in a file."""
        return sum(value.numel() * value.element_size() for value in self.network.state_dict().values())

    def logits(self, clips: Tensor) -> Tensor:
        """Normalised clips `(B, 3, T, H, W)` -> logits, float32 `(B, K)`."""
        return self.network(clips.to(self.dtype)).float()


def candidates(
    network: nn.Module, kinds: Sequence[str], layers: Sequence[str], ranges: Mapping[str, Range] | None, clip: str = ""
) -> dict[str, Candidate]:
    """fp32, bf16 and a small network of each kind, by name.

    Args:
        network: in fp32, on its device.
        kinds: names of `vidattn.quantization.kinds.KINDS`.
        layers: the names of those that become small.
        ranges: of what they are given; kinds that need them are left out without.
        clip: how these were found.
    """
    device = next(network.parameters()).device
    found = {
        "fp32": Candidate(network, torch.float32, "computed"),
        "bf16": Candidate(copy.deepcopy(network).bfloat16(), torch.bfloat16, "computed"),
    }
    for name in kinds:
        kind = kind_named(name)
        if kind.needs_ranges and ranges is None:
            continue
        about = Quantization(name, tuple(layers), clip if kind.needs_ranges else "")
        found[name] = Candidate(
            quantize(copy.deepcopy(network), about, ranges), torch.float32, kind.how(torch.device(device.type))
        )
    return found


def compared(
    small: Mapping[str, Candidate],
    batches: Iterable[tuple[Tensor, Tensor]],
    normalize: Normalize,
    batch_sizes: Sequence[int] = (1, 8),
    rounds: int = 5,
) -> list[dict[str, Any]]:
    """A row for each: `top1` with the ends of its 95% interval (Wilson) as `low` and `high`; `agreement`, the share of
    clips whose likeliest class is that of fp32; `megabytes` of its weights; for each batch size the median over
    interleaved rounds of its `ms_<size>` (of the CPU's time there, of the clock elsewhere), and `mib_<size>`, the peak
    beyond weights; `how` it was worked out.

    Args:
        small: what `candidates` made, fp32 first.
        batches: uint8 clips `(B, 3, T, H, W)` and classes `(B,)`.
        normalize: makes of the clips what the networks take.
        batch_sizes: clips that are timed together.
        rounds: of timing.
    """
    answers: dict[str, list[Tensor]] = {name: [] for name in small}
    labels, shown = [], None
    with torch.inference_mode():
        for clips, classes in batches:
            video = normalize(clips)
            shown = video[:1] if shown is None else shown
            labels.append(classes)
            for name, one in small.items():
                answers[name].append(one.logits(video).argmax(1).cpu())
        assert shown is not None
        costs = {size: _costs(small, shown.expand(size, -1, -1, -1, -1), rounds) for size in batch_sizes}
    truth, reference = torch.cat(labels), torch.cat(answers["fp32"])
    rows = []
    for name, one in small.items():
        found = torch.cat(answers[name])
        right = binomtest(int((found == truth).sum()), len(truth)).proportion_ci(method="wilson")
        row: dict[str, Any] = {
            "kind": name,
            "top1": round((found == truth).double().mean().item(), 4),
            "low": round(float(right.low), 4),
            "high": round(float(right.high), 4),
            "agreement": round((found == reference).double().mean().item(), 4),
            "megabytes": round(one.num_bytes / 1e6, 3),
        }
        for size, (milliseconds, memory) in costs.items():
            row |= {f"ms_{size}": round(milliseconds[name], 2), f"mib_{size}": round(memory[name], 1)}
        rows.append({**row, "how": one.how})
    return rows


def _costs(small: Mapping[str, Candidate], clips: Tensor, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Milliseconds and MiB of each."""
    clock = time.process_time if clips.device.type == "cpu" else time.perf_counter
    runs: dict[str, Callable[[], Any]] = {name: partial(one.logits, clips.contiguous()) for name, one in small.items()}
    seconds = interleaved(runs, rounds, clock)
    memory = {name: peak_mib(run, clips.device) for name, run in runs.items()}
    return {name: 1e3 * statistics.median(values) for name, values in seconds.items()}, memory


def machine(device: torch.device) -> str:
    """The processor, what it has for small numbers, and how many threads are used."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    file = Path("/proc/cpuinfo")
    text = file.read_text() if file.is_file() else ""
    name = re.search(r"model name\s*: (.*)", text)
    flags = set(found[1].split()) if (found := re.search(r"flags\s*: (.*)", text)) else set()
    has = [flag for flag in FLAGS if flag in flags]
    threads = torch.get_num_threads()
    held = f" with {', '.join(has)}" if has else ""
    return f"{name[1] if name else platform.processor()}{held}; {threads} thread{'s' if threads > 1 else ''}"
