"""Fair by construction: the width, depth or length at which each scheme costs what the first one does."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch

from vidattn.bench.model import step
from vidattn.bench.timing import interleaved, ratio
from vidattn.comparison.distinct import check_distinct
from vidattn.comparison.knobs import KNOBS as KNOBS, choices
from vidattn.comparison.terms import config_of
from vidattn.flops.agreement import check_scheme
from vidattn.mistakes import Mistake
from vidattn.models.presets import Schemed

Cost = Callable[[Schemed], float]
BUDGETS = ("macs", "params", "time")
TOLERANCE = 0.05  # how far off the first or last choice may be


@dataclass(frozen=True)
class Match:
    """One scheme brought to the budget.

    Attributes:
        config: the network, with the width, depth or length found.
        ratio: its cost to the first scheme's; steps of the knob are whole, so it is near 1 and rarely 1.
    """

    config: Schemed
    ratio: float


def match(
    schemes: Sequence[str], base: Schemed, budget: str = "macs", by: str = "width", rounds: int = 3
) -> list[Match]:
    """For each scheme the configuration whose cost is nearest to that of the first scheme.

    >>> from vidattn import preset
    >>> found = match(["joint", "divided"], preset("B"), "macs", "depth")
    >>> [(one.config.attention, one.config.depth, round(one.ratio, 3)) for one in found]
    [('joint', 12, 1.0), ('divided', 11, 1.0)]

    Args:
        schemes: specs, the first of which stays as `base` has it; or names of presets, each a network of its own.
        base: everything else.
        budget: `macs` or `params`, or `time`: of a forward, measured here side by side with the first.
        by: what to change: `width` (in steps of one unit per head), `depth` (of networks in stages that of the deepest)
            or `frames`.
        rounds: of each measurement of time.

    Raises:
        ValueError: a scheme is wrong or there twice, a word is unknown, or no width, depth or length meets the budget.
        CountError: what a module does is not what it declares.
    """
    check_distinct(schemes)
    if budget not in BUDGETS or by not in KNOBS:
        raise Mistake(f"cannot match {budget!r} by {by!r}; match {', '.join(BUDGETS)} by {', '.join(KNOBS)}")
    if (budget, by) == ("params", "frames"):
        raise Mistake("the number of frames does not change the parameters; match them by width or depth")
    for scheme in schemes:
        check_scheme(config_of(scheme, base))
    first = config_of(schemes[0], base)
    cost = relative_time(first, rounds) if budget == "time" else {"macs": macs, "params": parameters}[budget]
    wanted = cost(first)
    found = [Match(first, 1.0)]
    for scheme in schemes[1:]:
        config, value = nearest_in_cost(variants(config_of(scheme, base), by), cost, wanted, f"{by} of {scheme}")
        found.append(Match(config, value / wanted))
    return found


def variants(config: Schemed, by: str) -> list[Schemed]:
    """The configuration with other widths, depths or lengths, smallest first, up to several times its own; without
    those that it does not allow, such as heads too narrow for rotary positions."""
    allowed: list[Schemed] = []
    for changes in choices(config, by):
        with suppress(ValueError):
            allowed.append(replace(config, **changes))
    return allowed


def nearest_in_cost(choices: Sequence[Schemed], cost: Cost, wanted: float, what: str) -> tuple[Schemed, float]:
    """The choice whose cost is nearest to `wanted`, and that cost; costs grow along the choices.

    Choices that a scheme does not allow (a width that its groups do not divide, say) are passed over.

    Raises:
        ValueError: all choices cost less, or all more.
    """
    left = list(choices)
    low, high = -1, len(left)  # below and beyond the wanted cost
    costs: dict[int, float] = {}
    refusal: ValueError | None = None
    while high - low > 1:
        middle = (low + high) // 2
        try:
            value = cost(left[middle])
        except ValueError as error:
            refusal = error
            del left[middle]
            high -= 1
            costs = {index - (index > middle): known for index, known in costs.items()}
            continue
        costs[middle] = value
        low, high = (middle, high) if value <= wanted else (low, middle)
    if refusal is not None and not left:
        raise refusal
    best = min(costs, key=lambda index: abs(costs[index] - wanted))
    bracketed = low >= 0 and high < len(left)
    if not bracketed and abs(costs[best] / wanted - 1) > TOLERANCE:
        raise Mistake(f"no {what} meets the budget of the first scheme; match by another of {', '.join(KNOBS)}")
    return left[best], costs[best]


def macs(config: Schemed) -> float:
    """Multiply-accumulates of one clip."""
    with torch.device("meta"):
        return config.build().macs(config.num_frames, *config.size).total


def parameters(config: Schemed) -> float:
    """Numbers that the network learns."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in config.build().parameters())


def relative_time(first: Schemed, rounds: int) -> Cost:
    """A measure of a configuration's time in that of `first`: one forward of one clip, interleaved."""
    reference = forward(first)

    def cost(config: Schemed) -> float:
        seconds = interleaved({"first": reference, "this": forward(config)}, rounds)
        return ratio(seconds["this"], seconds["first"])

    return cost


def forward(config: Schemed) -> Callable[[], object]:
    """One forward of one clip, fp32, on this CPU or GPU."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = config.build().to(device).eval()
    video = torch.randn(1, 3, config.num_frames, *config.size, device=device)
    return lambda: step(network, (video,), training=False)
