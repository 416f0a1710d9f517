"""Timing things side by side: interleaved in one run, so that other work on the machine slows all of them equally."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch


def interleaved(
    candidates: Mapping[str, Callable[[], object]], rounds: int = 7, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each candidate in each of the rounds; every round runs all of them in turn, after one warm-up round.

    Args:
        candidates: what to time, by name.
        rounds: how often.
        clock: tells the seconds; `time.process_time` tells those of this process alone, of all threads together, on a
            machine that has other work.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for run in candidates.values():
        run()
    for _ in range(rounds):
        for name, run in candidates.items():
            _wait()
            began = clock()
            run()
            _wait()
            seconds[name].append(clock() - began)
    return seconds


def ratio(slow: list[float], fast: list[float]) -> float:
    """Median over the rounds of `slow / fast`: neighbours in time are compared with each other."""
    return statistics.median(ratios(slow, fast))


def ratios(slow: list[float], fast: list[float]) -> list[float]:
    """`slow / fast` of each round."""
    return [one / other for one, other in zip(slow, fast, strict=True)]


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
