"""Tables of what offsets within a window add to scores, for windows of another size."""

import torch
from torch import Tensor

from vidattn.checkpoints.transfer.account import Account


def resize_windows(account: Account) -> None:
    """Put tables of the network's windows in the place of those of the checkpoint's, where a step has another size."""
    old: dict[str, Tensor] = dict(account.old)
    sizes: dict[str, int] = {}
    for name, wanted in account.state.items():
        table = old.get(f"{account.theirs}{name.removeprefix(account.ours)}")
        if table is None or ".steps." not in name or not name.endswith(".bias") or table.ndim < 3:
            continue
        if table.shape != wanted.shape and (table.ndim, len(table)) == (wanted.ndim, len(wanted)):
            before, after = (tuple((side + 1) // 2 for side in one.shape[1:]) for one in (table, wanted))
            old[f"{account.theirs}{name.removeprefix(account.ours)}"] = resized_window(table, after)
            line = f"windows: {before} -> {after}, tables of offsets resized as timm does"
            sizes[line] = sizes.get(line, 0) + 1
    account.report += [f"{line}, {count} of them" for line, count in sizes.items()]
    account.old = old


def resized_window(table: Tensor, window: tuple[int, ...]) -> Tensor:
    """A table `(heads, 2t - 1, 2h - 1, 2w - 1)` for windows of another size; itself where nothing changes.

    As timm does for Swin's, after BEiT, https://arxiv.org/abs/2106.08254, in its code: near offsets keep their value,
    and the further away an old one is, the wider apart it is put, so that the last reaches the new window's end;
    between them the values are linear. For a smaller window the table is cut.

    Args:
        table: by head, then offsets along each axis; any number of axes.
        window: the new sides.
    """
    found = table.to(torch.promote_types(table.dtype, torch.float32))
    for axis, side in enumerate(window, start=1):
        if found.shape[axis] != 2 * side - 1:
            weights = spread_weights((found.shape[axis] + 1) // 2, side).to(found)
            found = (found.movedim(axis, -1) @ weights.mT).movedim(-1, axis)
    return found.to(table.dtype)


def spread_weights(old: int, new: int) -> Tensor:
    """What each of `2 new - 1` offsets takes of each of `2 old - 1`, `(2 new - 1, 2 old - 1)`.

    >>> spread_weights(2, 3)
    tensor([[1., 0., 0.],
            [1., 0., 0.],
            [0., 1., 0.],
            [0., 0., 1.],
            [0., 0., 1.]])
    """
    steps = growth(old - 1, new - 1) ** torch.arange(old - 1, dtype=torch.float64)
    right = steps.cumsum(0)
    places = torch.cat((-right.flip(0), right.new_zeros(1), right))
    wanted = torch.arange(1 - new, new, dtype=torch.float64).clamp(places[0], places[-1])
    after = torch.searchsorted(places, wanted).clamp(1, max(len(places) - 1, 1))
    weights = torch.zeros(len(wanted), len(places), dtype=torch.float64)
    if len(places) == 1:
        return torch.ones_like(weights).float()
    share = (wanted - places[after - 1]) / (places[after] - places[after - 1])
    rows = torch.arange(len(wanted))
    weights[rows, after] = share
    weights[rows, after - 1] = 1 - share
    return weights.float()


def growth(steps: int, reach: int) -> float:
    """The factor from 1.01 to 1.5 by which so many steps, the first of 1, must grow one after another to get as far as
    `reach`."""
    low, high = middle, _ = 1.01, 1.5
    while high - low > 1e-6:
        middle = (low + high) / 2
        if (1 - middle**steps) / (1 - middle) > reach:
            high = middle
        else:
            low = middle
    return middle
