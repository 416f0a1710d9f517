"""Tables of positions for another map, another number of frames, or a network with another kind of table."""

from collections.abc import Collection, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from vidattn.grid import Grid
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.positions import SineTable, resized


def resized_map(table: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """A position table `(1, P + N, D)` for another map, bicubic; the prefix's vectors stay."""
    table = table.to(torch.promote_types(table.dtype, torch.float32))  # half precision would round every weighted sum
    prefix = table.shape[1] - old[0] * old[1]
    grid = table[:, prefix:].unflatten(1, old).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, new, mode="bicubic", align_corners=False)
    return torch.cat((table[:, :prefix], grid.flatten(2).mT), dim=1)


def resized_map_as_official(table: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """The same as TimeSformer's code does while loading: nearest, over the map flattened to one row.

    https://github.com/facebookresearch/TimeSformer, a5ef29a, `helpers.py`, `load_pretrained`. From 14 x 14 to 28 x 28
    only 7% of the vectors come from the place that they now stand for; its published high-resolution models learned
    from there.
    """
    prefix = table.shape[1] - old[0] * old[1]
    grid = F.interpolate(table[:, prefix:].mT, new[0] * new[1], mode="nearest").mT
    return torch.cat((table[:, :prefix], grid), dim=1)


def resized_time(table: Tensor, frames: int) -> Tensor:
    """A time table `(1, T, D)` for another number of frames, linear."""
    table = table.to(torch.promote_types(table.dtype, torch.float32))
    return F.interpolate(table.mT, frames, mode="linear", align_corners=False).mT


def resized_time_as_official(table: Tensor, frames: int) -> Tensor:
    """The same as TimeSformer's code does while loading: the nearest frame's vector."""
    return F.interpolate(table.mT, frames, mode="nearest").mT


def carried_tables(
    old: Mapping[str, Tensor],
    saved: VideoTransformerConfig,
    wanted: Collection[str],
    config: VideoTransformerConfig,
    as_official: bool,
) -> tuple[dict[str, Tensor], list[str]]:
    """The tables `wanted` of a network of `config`, made of those of another, and a line for each that changed.

    Args:
        old: `position.table` and `time.table` of the checkpoint, as far as it has them.
        saved: its configuration.
        wanted: which of the two the network has.
        config: the network's configuration.
        as_official: resize as TimeSformer's code does.
    """
    if saved.position == config.position and not wanted and not old:
        sides = config.native_grid.sides()
        same = config.position == "none" or saved.native_grid.sides() == sides
        anew = f"{config.position} table counted anew for {sides} tokens; feed other clips to the network"
        return {}, [] if same else [f"position: {anew} of the file's size instead, and it is resized"]
    if saved.position == config.position and config.position == "space+time":
        return _separate(old, saved, wanted, config, as_official)
    return _as_tokens(old, saved, wanted, config)


def _separate(
    old: Mapping[str, Tensor],
    saved: VideoTransformerConfig,
    wanted: Collection[str],
    config: VideoTransformerConfig,
    as_official: bool,
) -> tuple[dict[str, Tensor], list[str]]:
    """A table of places and one of times, each from its own kind."""
    before, after, report = saved.native_grid, config.native_grid, []
    table = _with_prefix(old["position.table"], before.prefix, after.prefix)
    if before[1:3] != after[1:3]:
        resize_map = resized_map_as_official if as_official else resized_map
        table = resize_map(table, before[1:3], after[1:3])
        how = "nearest, in a row" if as_official else "bicubic"
        report.append(f"position.table: resized, {before[1:3]} -> {after[1:3]}, {how}")
    found = {"position.table": table}
    if "time.table" in wanted and "time.table" not in old:
        found["time.table"] = table.new_zeros(1, after.frames, table.shape[-1])
        report.append("time.table: zeros, the file has none")
    elif "time.table" in wanted:
        found["time.table"] = old["time.table"]
        if before.frames != after.frames:
            resize_time = resized_time_as_official if as_official else resized_time
            found["time.table"] = resize_time(old["time.table"], after.frames)
            how = "nearest" if as_official else "linear"
            report.append(f"time.table: resized, {before.frames} frames -> {after.frames}, {how}")
    elif "time.table" in old:
        report.append("time.table: not taken over, the network has none")
    return found, report


def _as_tokens(
    old: Mapping[str, Tensor], saved: VideoTransformerConfig, wanted: Collection[str], config: VideoTransformerConfig
) -> tuple[dict[str, Tensor], list[str]]:
    """A table of another kind, by way of one vector per token, a form that every kind can be written in."""
    before, after, dim = _table_grid(saved), _table_grid(config), saved.embed_dim
    prefix, video = torch.zeros(1, before.prefix, dim), torch.zeros(1, 1, *before[1:3], dim)
    if saved.position == "sine":
        video = SineTable(dim, before).table.unflatten(1, before.sides())
    elif "position.table" in old:
        table = old["position.table"]
        prefix, places = table[:, : before.prefix], table[:, before.prefix :]
        video = places.unflatten(1, (-1, *before[1:3]))
        if "time.table" in old:
            video = video + old["time.table"][:, :, None, None]
    if after.frames == 1:
        video = video.mean(1, keepdim=True)
    video = resized(video, after.frames if video.shape[1] > 1 else 1, *after[1:3])
    prefix = _with_prefix(prefix, before.prefix, after.prefix)
    changed = [f"position: {saved.position} {before.sides()} -> {config.position} {after.sides()}"]
    if config.position == "token" and "position.table" in wanted:
        video = video.expand(-1, after.frames, -1, -1, -1)
        same = saved.position == "token" and before == after
        return {"position.table": torch.cat((prefix, video.flatten(1, 3)), dim=1)}, [] if same else changed
    if config.position == "space+time":
        # The closest sum of one vector per place and one per frame.
        places, times = video.mean(1), video.mean((2, 3)) - video.mean((1, 2, 3))[:, None]
        found = {"position.table": torch.cat((prefix, places.flatten(1, 2)), dim=1)}
        if "time.table" in wanted:
            found["time.table"] = times.expand(-1, after.frames, -1)
        return found, [f"{changed[0]}, the means over frames and over places"]
    return {}, [f"{changed[0]}, the learned table is not taken over"]


def _table_grid(config: VideoTransformerConfig) -> Grid:
    """The grid that a table of tokens covers: one frame where each frame is processed by itself."""
    return config.native_grid if config.scheme.frames_meet else config.native_grid.frame()


def _with_prefix(table: Tensor, old: int, new: int) -> Tensor:
    """The table with another number of prefix rows; new rows are zero."""
    fresh = table.new_zeros(1, max(new - old, 0), table.shape[-1])
    return torch.cat((table[:, : min(old, new)], fresh, table[:, old:]), dim=1)
