"""timm's ViT (and DeiT's, DeiT III's and DINOv2's, by the same names), as a network that sees each frame alone."""

import math
from typing import Any

import torch
from torch import Tensor

from vidattn.checkpoints.folder import mlp_ratio
from vidattn.checkpoints.names import Names, WeightsError, renamed
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.sources import timesformer
from vidattn.checkpoints.sources.vit import PIXELS
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing

NAMES: Names = timesformer.SPACE
"""timm's names are those of the official TimeSformer, which was made of timm's ViT."""

AVERAGING: Names = {**NAMES, "norm": "fc_norm"}
"""The same where the last norm comes after a mean over patches."""

POOLING = {0: "mean", 1: "class_token", 5: "registers"}
"""Number of prefix tokens -> our read-out."""

HEADS = {192: 3, 384: 6, 768: 12, 1024: 16, 1152: 16, 1280: 16, 1408: 16, 1664: 16}
"""Width -> heads of the published ViTs, of Ti to G; the weights do not say."""


def read(about: dict[str, Any], weights: dict[str, Tensor]) -> Saved:
    """A ViT of timm's with a class token, with four registers beside it, or with a norm after the mean over patches.

    LayerScale (https://arxiv.org/abs/2103.17239) multiplies what a linear layer made: it becomes part of the layer.

    Args:
        about: `config.json` as timm writes it; empty where there is none.
        weights: its state dict.

    Raises:
        WeightsError: it is another network, or a ViT with parts that vidattn does not have.
    """
    if absent := [name for name in ("patch_embed.proj.weight", "pos_embed") if name not in weights]:
        raise WeightsError(f"not a ViT: {', '.join(absent)} not there")
    weights, notes = _without_scales(weights)
    weights, pooling, side = _with_prefix(about, weights)
    dim, _, patch, _ = weights["patch_embed.proj.weight"].shape
    hidden = weights.get("blocks.0.mlp.fc1.weight", torch.empty(4 * dim, 0)).shape[0]
    given = about.get("model_args", {}).get("num_heads")
    heads = given or HEADS.get(dim, max(1, dim // 64))
    headless = "head.weight" not in weights
    config = VideoTransformerConfig(
        attention="space",
        num_classes=400 if headless else weights["head.weight"].shape[0],
        image_size=side * patch,
        patch_size=patch,
        embed_dim=dim,
        depth=sum(name.endswith("norm2.weight") for name in weights),
        num_heads=heads,
        mlp_ratio=mlp_ratio(hidden, dim),
        pooling=pooling,
    )
    with torch.device("meta"):
        network = build_network(config)
    names = AVERAGING if pooling == "mean" else NAMES
    state = renamed(weights, names, network, ["head"] if headless else [])
    if not given:
        notes.append(f"num_heads: assumed {heads}, as published for width {dim}; the file does not say")
    if pooling != "mean" and "global_pool" not in about:  # a mean over patches may have no weights of its own
        notes.append(f"pooling: assumed {pooling}; the file does not say")
    trained = about.get("pretrained_cfg", {})
    mean, std = (trained.get(name, PIXELS[name]) for name in ("mean", "std"))
    if "mean" not in trained and "std" not in trained:
        notes.append(f"mean and std: assumed {PIXELS['mean']} and {PIXELS['std']}, the file does not say")
    short = math.floor(side * patch / trained["crop_pct"]) if "crop_pct" in trained else None
    preprocessing = Preprocessing(image_size=config.image_size, mean=mean, std=std, short_side=short)
    labels = [str(name) for name in about.get("label_names", [])]
    return Saved(
        config, state, labels if len(labels) == config.num_classes else [], preprocessing, notes, True, not given
    )


def _without_scales(weights: dict[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """The weights of the same function without LayerScale, and a line that says so, if there was any."""
    plain = dict(weights)
    for scale, layer in ((".ls1.gamma", ".attn.proj"), (".ls2.gamma", ".mlp.fc2")):
        for name in [one for one in weights if one.endswith(scale)]:
            gamma = plain.pop(name)
            for scaled in (f"{name.removesuffix(scale)}{layer}.{part}" for part in ("weight", "bias")):
                if scaled in plain:
                    plain[scaled] = gamma.view(-1, *[1] * (plain[scaled].ndim - 1)) * plain[scaled]
    scales = len(weights) - len(plain)
    return plain, [f"LayerScale: {scales} scales became part of the layers that they scale"] if scales else []


def _with_prefix(about: dict[str, Any], weights: dict[str, Tensor]) -> tuple[dict[str, Tensor], str, int]:
    """The weights with all prefix tokens in `cls_token`, and a position for each; our read-out; side of the map."""
    tokens = [weights[name] for name in ("cls_token", "reg_token") if name in weights]
    prefix = sum(one.shape[1] for one in tokens)
    if prefix not in POOLING or (tokens and "cls_token" not in weights):
        raise WeightsError(f"{prefix} prefix tokens; vidattn has a class token, alone or with four registers, or none")
    averages = "fc_norm.weight" in weights or (bool(tokens) and about.get("global_pool", "token") != "token")
    if averages == bool(tokens):
        how = "averages patches beside a class token" if tokens else "averages its patches after the last norm"
        raise WeightsError(f"a ViT that {how}; vidattn reads a class token, or norms the mean where there is none")
    table = weights["pos_embed"]
    side = math.isqrt(table.shape[1])
    if side**2 != table.shape[1]:  # else prefix tokens have no positions
        side = math.isqrt(max(table.shape[1] - prefix, 0))
    missing = table.new_zeros(1, max(side**2 + prefix - table.shape[1], 0), table.shape[2])
    positioned = {**weights, "pos_embed": torch.cat((missing, table), dim=1)}
    positioned.pop("reg_token", None)
    if tokens:
        positioned["cls_token"] = torch.cat(tokens, dim=1)
    return positioned, POOLING[prefix], side
