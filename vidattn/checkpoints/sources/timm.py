"""timm's ViT (and DeiT's, DeiT III's and DINOv2's, by the same names), as a network that sees each frame alone."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from vidattn.checkpoints.foreign import Foreign
from vidattn.checkpoints.hf_config import mlp_ratio
from vidattn.checkpoints.native import Sides, native_map
from vidattn.checkpoints.renaming import Names, WeightsError, renamed, without
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


ACTIVATIONS = {"gelu": "gelu", "gelu_tanh": "gelu_tanh"}
"""GELUs by timm's name -> ours."""

HARMLESS = {
    # Shown by the weights.
    *("mlp_ratio", "qkv_bias", "num_classes", "reg_tokens", "class_token", "fc_norm", "num_features", "init_values"),
    *("qk_norm", "proj_bias", "pre_norm", "scale_attn_norm", "scale_mlp_norm"),
    # Of training, and of how the model is built.
    *("drop_rate", "pos_drop_rate", "patch_drop_rate", "proj_drop_rate", "attn_drop_rate", "drop_path_rate"),
    *("weight_init", "fix_init", "dynamic_img_size", "dynamic_img_pad", "device", "dtype"),
    *("architecture", "label_names", "label_descriptions"),
}
"""Keys of the file and arguments of the model that make no difference to how the weights are read."""


UNSTATED = (
    "not stated in the file: timm's code is Apache-2.0, its weights have their makers' licences, which "
    "timm.get_pretrained_cfg(name).license names"
)
"""The licence of timm's weights where no `config.json` says more."""


def read(about: Foreign, weights: dict[str, Tensor], asked: Sides | None = None) -> Saved:
    """A ViT of timm's with a class token, with four registers beside it, or with a norm after the mean over patches.

    DINOv2's own files have the same names, and are read too. LayerScale (https://arxiv.org/abs/2103.17239) multiplies
    what a linear layer made: it becomes part of the layer.

    Args:
        about: `config.json` as timm writes it; empty where there is none.
        weights: its state dict.
        asked: height and width in pixels that it is wanted for, which may tell the shape of its map.

    Raises:
        WeightsError: it is another network, or a ViT with parts that vidattn does not have.
    """
    if absent := [name for name in ("patch_embed.proj.weight", "pos_embed") if name not in weights]:
        raise WeightsError(f"not a ViT: {', '.join(absent)} not there")
    if weights["patch_embed.proj.weight"].ndim != 4 or weights["pos_embed"].ndim != 3:
        raise WeightsError("not a ViT: patch_embed.proj.weight is no convolution of pictures, or pos_embed no table")
    dim, colours, patch, _ = weights["patch_embed.proj.weight"].shape
    arguments = about.part("model_args")
    _check_arguments(arguments, patch, colours)
    arguments.agree("embed_dim", dim)
    arguments.agree("depth", _depth(weights))
    weights, notes = _without_scales(_as_timm(weights))
    weights, left = without(weights, ("mask_token",), "the token for hidden patches")
    pooling = _pooling(about, arguments, weights)
    trained = about.part("pretrained_cfg")
    side, lines = _map(arguments, trained, weights, patch, asked)
    weights = _positioned(weights, side[0] * side[1])
    hidden = weights["blocks.0.mlp.fc1.weight"].shape[0] if "blocks.0.mlp.fc1.weight" in weights else 4 * dim
    given = arguments.whole("num_heads", 12) if "num_heads" in arguments else None
    heads = given or HEADS.get(dim, max(1, dim // 64))
    headless = "head.weight" not in weights
    config = VideoTransformerConfig(
        attention="space",
        num_classes=400 if headless else weights["head.weight"].shape[0],
        image_size=_size(side, patch),
        patch_size=patch,
        embed_dim=dim,
        depth=_depth(weights),
        num_heads=heads,
        mlp_ratio=mlp_ratio(hidden, dim),
        pooling=pooling,
        activation=ACTIVATIONS[arguments.word("act_layer", "gelu", ACTIVATIONS)],
    )
    for known in (about, arguments):
        known.refuse_others(HARMLESS)
    with torch.device("meta"):
        network = build_network(config)
    state = renamed(weights, AVERAGING if pooling == "mean" else NAMES, network, ["head"] if headless else [])
    notes += [*left, *lines]
    if not given:
        notes.append(f"num_heads: assumed {heads}, as published for width {dim}; the file does not say")
    if pooling != "mean" and "global_pool" not in about:  # a mean over patches may have no weights of its own
        notes.append(f"pooling: assumed {pooling}; the file does not say")
    preprocessing, assumed = _preprocessing(trained, config)
    names, faults = _class_names(about, config.num_classes)
    return Saved(
        config, state, names, preprocessing, [*notes, *assumed, *faults], True, not given, licence=licence_of(trained)
    )


def licence_of(trained: Foreign) -> str:
    """What timm's file says of it, or that it says nothing and who does.

    Args:
        trained: `pretrained_cfg` of `config.json`; empty where there is none.
    """
    found = trained.raw("license")
    return f"{found} (as timm's config.json says)" if isinstance(found, str) and found else UNSTATED


def _check_arguments(arguments: Foreign, patch: int, colours: int) -> None:
    """Raise unless arguments that our networks lack have timm's defaults."""
    if arguments.sides("patch_size", patch) != (patch, patch):
        raise arguments.error("patch_size", f"{patch}, as the weights have it")
    if arguments.whole("in_chans", 3) != 3 or colours != 3:
        raise WeightsError(f"patch_embed.proj takes {colours} colours; wanted 3: red, green and blue")
    for name, usual in (("pool_include_prefix", False), ("final_norm", True)):
        if arguments.switch(name, usual) != usual:
            raise arguments.error(name, str(usual).lower())
    arguments.word("pos_embed", "learn", ("learn",))
    arguments.word("norm_layer", "layernorm", ("layernorm",))


def _as_timm(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """DINOv2's registers by timm's name, which have no positions there."""
    if "register_tokens" not in weights:
        return weights
    renamed = {name: value for name, value in weights.items() if name != "register_tokens"}
    registers = weights["register_tokens"]
    table = weights["pos_embed"]
    none = torch.zeros(1, registers.shape[1], table.shape[-1], dtype=table.dtype)
    return {**renamed, "reg_token": registers, "pos_embed": torch.cat((table[:, :1], none, table[:, 1:]), dim=1)}


def _pooling(about: Foreign, arguments: Foreign, weights: dict[str, Tensor]) -> str:
    """Our read-out."""
    prefix = _prefix(weights)
    if prefix not in POOLING or (prefix and "cls_token" not in weights):
        raise WeightsError(f"{prefix} prefix tokens; vidattn has a class token, alone or with four registers, or none")
    wanted = "token" if prefix else "avg"
    says = [one.raw("global_pool") for one in (about, arguments) if "global_pool" in one]
    for said in says:
        if not isinstance(said, str):
            raise about.error("global_pool", "text")
        if said != wanted and (said or "head.weight" in weights):  # empty: no pooling, for what has no head
            what = "averages patches beside a class token" if prefix and said == "avg" else f"has global_pool={said!r}"
            raise WeightsError(f"a ViT that {what}; vidattn reads a class token, or norms the mean where there is none")
    averages = "fc_norm.weight" in weights
    if averages == bool(prefix):
        how = "averages patches beside a class token" if prefix else "averages its patches after the last norm"
        raise WeightsError(f"a ViT that {how}; vidattn reads a class token, or norms the mean where there is none")
    return POOLING[prefix]


def _prefix(weights: dict[str, Tensor]) -> int:
    """Number of tokens before the patches."""
    tokens = [weights[name] for name in ("cls_token", "reg_token") if name in weights]
    if strange := [one for one in tokens if one.ndim != 3]:
        raise WeightsError(f"its tokens before the patches are {tuple(strange[0].shape)}; wanted (1, tokens, width)")
    return sum(one.shape[1] for one in tokens)


def _map(
    arguments: Foreign, trained: Foreign, weights: dict[str, Tensor], patch: int, asked: Sides | None
) -> tuple[Sides, list[str]]:
    """Rows and columns of the table of positions."""
    rows, prefix = weights["pos_embed"].shape[1], _prefix(weights)
    with_prefix = [rows - prefix] if rows > prefix else []
    places = list(dict.fromkeys([rows, *with_prefix]))  # a square of all rows: prefix tokens have no positions
    if "no_embed_class" in arguments:
        places = [rows] if arguments.switch("no_embed_class", False) else with_prefix
    said = arguments.sides("img_size", 224) if "img_size" in arguments else _input_size(trained)
    return native_map(places, patch, said, asked)


def _input_size(trained: Foreign) -> Sides | None:
    """Height and width in pixels of the picture that the model takes; None where the file does not say."""
    found = trained.raw("input_size")
    if found is None:
        return None
    if isinstance(found, list) and len(found) == 3 and all(type(one) is int and one > 0 for one in found):
        return found[1], found[2]
    raise trained.error("input_size", "three whole numbers above 0: colours, height and width")


def _positioned(weights: dict[str, Tensor], places: int) -> dict[str, Tensor]:
    """The weights with all prefix tokens in `cls_token`, and a position for each."""
    table = weights["pos_embed"]
    missing = table.new_zeros(1, max(places + _prefix(weights) - table.shape[1], 0), table.shape[2])
    positioned = {**weights, "pos_embed": torch.cat((missing, table), dim=1)}
    positioned.pop("reg_token", None)
    if tokens := [weights[name] for name in ("cls_token", "reg_token") if name in weights]:
        positioned["cls_token"] = torch.cat(tokens, dim=1)
    return positioned


def _depth(weights: dict[str, Tensor]) -> int:
    depth = sum(name.endswith(".norm2.weight") for name in weights)
    if not depth:
        held = next((name for name in weights if name.startswith("blocks.")), "no blocks")
        raise WeightsError(f"its blocks are not those of a ViT, an attention and an MLP one behind the other: {held}")
    return depth


def _size(side: Sides, patch: int) -> int | Sides:
    height, width = side[0] * patch, side[1] * patch
    return height if height == width else (height, width)


def _preprocessing(trained: Foreign, config: VideoTransformerConfig) -> tuple[Preprocessing, list[str]]:
    """How pictures were prepared for it, and a line for what is assumed or done in another way here."""
    notes, found = [], Preprocessing(image_size=config.image_size).with_pixels(**PIXELS)
    if "mean" in trained and "std" in trained:
        mean, std = trained.colours("mean", (0.5, 0.5, 0.5)), trained.colours("std", (0.5, 0.5, 0.5))
        if min(std) <= 0:
            raise trained.error("std", "numbers above 0")
        found = found.with_pixels(mean, std)
    else:
        notes.append(f"mean and std: assumed {PIXELS['mean']} and {PIXELS['std']}, the file does not say")
    if "crop_pct" in trained and isinstance(config.image_size, int):
        share = trained.number("crop_pct", 1.0)
        if share > 1:
            notes.append(f"crop: its crop_pct={share} puts a border around pictures, here there is none")
        else:
            found = replace(found, short_side=math.floor(config.image_size / share))
    if (filter := trained.raw("interpolation")) not in (None, "", "bilinear"):
        notes.append(f"resize: it was trained with {str(filter)[:20]}, here it is bilinear")
    if (mode := trained.raw("crop_mode")) not in (None, "", "center"):
        notes.append(f"crop: it was trained with {str(mode)[:20]}, here it is the square in the middle")
    return found, notes


def _class_names(about: Foreign, num_classes: int) -> tuple[list[str], list[str]]:
    """`label_names`, and a line where they cannot be the classes' names: weights are loaded all the same."""
    found = about.raw("label_names")
    if found is None:
        return [], []
    if isinstance(found, list) and len(found) == num_classes and all(isinstance(name, str) for name in found):
        return found, []
    held = f"{len(found)} names" if isinstance(found, list) else repr(found)[:60]
    return [], [
        f"class names: not taken over; label_names in {about.file.name} has {held}; wanted {num_classes}, one for each "
        "class: edit or remove label_names"
    ]


def _without_scales(weights: dict[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """The weights of the same function without LayerScale, and a line that says so, if there was any."""
    plain = dict(weights)
    for scale, layer in ((".ls1.gamma", ".attn.proj"), (".ls2.gamma", ".mlp.fc2")):
        for name in [one for one in weights if one.endswith(scale)]:
            gamma = plain.pop(name)
            for scaled in (f"{name.removesuffix(scale)}{layer}.{part}" for part in ("weight", "bias")):
                if scaled in plain:
                    plain[scaled] = gamma.view(-1, *[1] * (plain[scaled].ndim - 1)).float() * plain[scaled].float()
    scales = len(weights) - len(plain)
    return plain, [f"LayerScale: {scales} scales became part of the layers that they scale"] if scales else []
