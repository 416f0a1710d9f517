"""Time and memory of schemes side by side in one run: multiply-accumulates are not time."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from vidattn.bench.image import peak_mib
from vidattn.bench.model import step
from vidattn.bench.timing import interleaved, ratio
from vidattn.models.presets import Schemed, build_network

PEAK = "matrix multiply"
TRAINING_MACS = 3  # a backward pass has two products for each of the forward pass


def side_by_side(
    configs: Sequence[Schemed],
    batch_size: int = 1,
    rounds: int = 7,
    training: bool = False,
    compiled: bool = False,
) -> list[dict[str, Any]]:
    """Time the networks in turn, round by round, fp32, on this CPU or GPU; a row for each.

    Args:
        configs: what to build, each timed on clips of its own length and size, with random weights.
        batch_size: clips at once.
        rounds: how often each runs.
        training: a step, forward and backward, instead of inference.
        compiled: run them through `torch.compile`.

    Returns:
        Rows with `attention`; `milliseconds` of a batch, the median over the rounds, and `fastest` and `slowest`;
        `time_ratio`, the median over the rounds of its time to that of the first; `clips_per_second`; `peak_mib`, the
        most memory held beyond weights and their gradients; `kernel`, which attention ran; `timed_gmacs`, of the batch
        (a training step has three times those of a forward); `peak_gmacs_per_second`, of the fastest large matrix
        product of the same run; and `share_of_peak`, what the median reached of that.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    side = 8192 if device == "cuda" else 1024
    left, right = torch.randn(2, side, side, device=device)
    runs: dict[str, Callable[[], object]] = {PEAK: partial(torch.mm, left, right)}
    macs = []
    for index, config in enumerate(configs):
        network = build_network(config).to(device).train(training)
        macs.append(
            network.macs(config.num_frames, *config.size).total * batch_size * (TRAINING_MACS if training else 1)
        )
        video = torch.randn(batch_size, 3, config.num_frames, *config.size, device=device)
        call: Callable[..., Tensor] = torch.compile(network) if compiled else network
        runs[str(index)] = partial(step, call, (video,), training)
    with every_one_compiled(len(configs)) if compiled else nullcontext():
        seconds = interleaved(runs, rounds)
    peak = side**3 / min(seconds[PEAK])
    rows = []
    for index, config in enumerate(configs):
        mine, run = seconds[str(index)], runs[str(index)]
        middle = statistics.median(mine)
        rows.append(
            {
                "attention": config.title,
                "milliseconds": 1e3 * middle,
                "fastest": 1e3 * min(mine),
                "slowest": 1e3 * max(mine),
                "time_ratio": ratio(mine, seconds["0"]),
                "clips_per_second": batch_size / middle,
                "peak_mib": peak_mib(run, torch.device(device)),  # type: ignore[arg-type]
                "kernel": ("compiled, " if compiled else "") + kernel(run),
                "timed_gmacs": macs[index] / 1e9,
                "peak_gmacs_per_second": peak / 1e9,
                "share_of_peak": macs[index] / middle / peak,
            }
        )
    return rows


@contextmanager
def every_one_compiled(count: int) -> Iterator[None]:
    """So many networks may be compiled in this: all are of one class, of which torch keeps eight versions by default
    and runs the others as they are."""
    torch._dynamo.reset()
    with torch._dynamo.config.patch(recompile_limit=8 + count, fail_on_recompile_limit_hit=True):
        yield


def kernel(run: Callable[[], object]) -> str:
    """Which attention `run` executes: `fused`, `two products`, both, or `no softmax`.

    Args:
        run: a call of a network; it is run once under the profiler.
    """
    with profile(activities=[ProfilerActivity.CPU]) as record:
        run()
    names = {event.key for event in record.key_averages()}
    fused = ("flash_attention", "efficient_attention", "cudnn_attention", "fused_attention_overrideable")
    found = {
        "fused": any("scaled_dot_product" in name and any(part in name for part in fused) for name in names),
        "two products": "aten::_softmax" in names,
    }
    return " and ".join(name for name, there in found.items() if there) or "no softmax"


def measured_text(row: Mapping[str, Any]) -> dict[str, str]:
    """The columns that people read, as text."""
    return {
        "clip": f"{row['frames']}x{row['size']}",
        "attention": row["attention"],
        "ms": f"{row['milliseconds']:.4g}",
        "range": f"{row['fastest']:.4g}-{row['slowest']:.4g}",
        "ratio": f"{row['time_ratio']:.2f}",
        "clips/s": f"{row['clips_per_second']:.3g}",
        "peak MiB": f"{row['peak_mib']:,.0f}",
        "kernel": row["kernel"],
        "of peak": f"{row['share_of_peak']:.0%}",
    }
