"""Reading a network or its weights from a file, whatever wrote it: told apart by content, not by name."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.checkpoints import timesformer
from vidattn.checkpoints.names import WeightsError, fitting, renamed
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network


class Saved(NamedTuple):
    """A checkpoint in our terms, whoever wrote it."""

    config: VideoTransformerConfig
    state: dict[str, Tensor]  # by our names
    class_names: list[str]  # empty where the file names none
    preprocessing: dict[str, Any]  # sampling, image_size, mean, std; empty where the file says nothing


def load_network(source: str | Path) -> tuple[nn.Module, Saved]:
    """The network that a checkpoint holds, in evaluation mode, and what the checkpoint says besides.

    Args:
        source: a checkpoint that `vidattn fit` wrote, or an official TimeSformer `.pyth`.

    Raises:
        WeightsError: the file cannot be read, or is none of these.
    """
    saved = read_checkpoint(source)
    network = build_network(saved.config)
    network.load_state_dict(_fitting(saved.state, network, saved, source))
    return network.eval(), saved


def load_weights(network: nn.Module, config: VideoTransformerConfig, source: str | Path) -> list[str]:
    """Fill `network` from a checkpoint of the same scheme and width, and say what was not taken over as it was.

    Position and time tables of another size are resized (bicubic in space, linear in time). A head of another
    number of classes keeps its fresh weights. Everything else must fit.

    Args:
        network: the network to fill, built from `config`.
        config: its configuration.
        source: see `load_network`.

    Returns:
        One line for each tensor that was resized or reset.

    Raises:
        WeightsError: the file cannot be read or does not fit; the network is untouched then.
    """
    saved = read_checkpoint(source)
    state, report = dict(saved.state), []
    if saved.config.num_classes != config.num_classes:
        fresh = network.state_dict()
        state |= {name: fresh[name] for name in ("head.weight", "head.bias")}
        report.append(f"head: reset, {saved.config.num_classes} classes -> {config.num_classes}")
    if "position.table" in state and _map(saved.config) != _map(config):
        state["position.table"] = _resized_map(state["position.table"], _map(saved.config), _map(config))
        report.append(f"position.table: resized, {_map(saved.config)} -> {_map(config)}, bicubic")
    if "time.table" in state and saved.config.num_frames != config.num_frames:
        state["time.table"] = F.interpolate(state["time.table"].mT, config.num_frames, mode="linear").mT
        report.append(f"time.table: resized, {saved.config.num_frames} frames -> {config.num_frames}, linear")
    network.load_state_dict(_fitting(state, network, saved, source))
    return report


def read_checkpoint(source: str | Path) -> Saved:
    """What a file holds, in our terms; see `load_network`."""
    try:
        # An unpickler that makes plain values and tensors only: a checkpoint cannot run code.
        checkpoint = torch.load(source, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"{source}: no such file") from None
    except Exception as error:  # damage makes the unpickler fail in every way there is
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise WeightsError(f"{source}: not a readable checkpoint ({reason})") from error
    try:
        if isinstance(checkpoint, dict) and "vidattn" in checkpoint:
            return _from_lightning(checkpoint)
        if isinstance(checkpoint, dict) and "model_state" in checkpoint:
            return _from_official(checkpoint["model_state"])
    except WeightsError as error:
        raise WeightsError(f"{source}: {error}") from None
    held = ", ".join(map(str, list(checkpoint)[:5])) if isinstance(checkpoint, dict) else type(checkpoint).__name__
    raise WeightsError(f"{source}: neither a checkpoint of vidattn fit nor an official TimeSformer file; holds {held}")


def _fitting(state: dict[str, Tensor], network: nn.Module, saved: Saved, source: str | Path) -> dict[str, Tensor]:
    try:
        return fitting(state, network)
    except WeightsError as error:
        raise WeightsError(f"{source} holds a {saved.config.attention} network: {error}") from None


def _from_lightning(checkpoint: dict[str, Any]) -> Saved:
    ours = checkpoint["vidattn"]
    if ours["format"] != 1:
        raise WeightsError(f"format {ours['format']} is newer than this vidattn, which reads format 1; update it")
    config: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in ours["network"].items()
    }
    prefix = "network."
    state = {name[len(prefix) :]: value for name, value in checkpoint["state_dict"].items() if name.startswith(prefix)}
    return Saved(VideoTransformerConfig(**config), state, ours["class_names"], ours["preprocessing"])


def _from_official(weights: dict[str, Tensor]) -> Saved:
    weights = {name.removeprefix("model."): value for name, value in weights.items()}
    needed = ("patch_embed.proj.weight", "pos_embed", "head.weight")
    if absent := [name for name in needed if name not in weights]:
        raise WeightsError(f"holds model_state but is not an official TimeSformer file: {', '.join(absent)} not there")
    attention = "space"
    if "time_embed" in weights:
        attention = "divided" if any("temporal_attn" in name for name in weights) else "joint"
    dim, _, patch, _ = weights["patch_embed.proj.weight"].shape
    side = math.isqrt(weights["pos_embed"].shape[1] - 1)
    config = VideoTransformerConfig(
        attention=attention,
        num_classes=weights["head.weight"].shape[0],
        num_frames=weights["time_embed"].shape[1] if attention != "space" else 8,
        image_size=side * patch,
        patch_size=patch,
        embed_dim=dim,
        depth=sum(name.endswith("norm2.weight") for name in weights),
        num_heads=max(1, dim // 64),  # not in the file; all released models have heads of 64
    )
    with torch.device("meta"):
        network = build_network(config)
    preprocessing = {"mean": [0.45] * 3, "std": [0.225] * 3, "image_size": side * patch}
    return Saved(config, renamed(weights, timesformer.SCHEMES[attention], network), [], preprocessing)


def _map(config: VideoTransformerConfig) -> tuple[int, int]:
    """Rows and columns of patches."""
    return config.size[0] // config.patch_size, config.size[1] // config.patch_size


def _resized_map(table: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """A position table `(1, P + N, D)` for another map; the prefix's vectors stay."""
    prefix = table.shape[1] - old[0] * old[1]
    grid = table[:, prefix:].unflatten(1, old).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, new, mode="bicubic", align_corners=False)
    return torch.cat((table[:, :prefix], grid.flatten(2).mT), dim=1)
