"""VideoMAE's and VideoMAEv2's own files and folders: https://arxiv.org/abs/2203.12602, https://arxiv.org/abs/2303.16727."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidattn.checkpoints.files import tensors_of
from vidattn.checkpoints.foreign import Foreign
from vidattn.checkpoints.hf_config import HARMLESS, mlp_ratio, patch_side
from vidattn.checkpoints.native import floored, floored_sides
from vidattn.checkpoints.renaming import Names, WeightsError, renamed, without
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.sources.videomae import DECODER, PIXELS
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import VIDEOMAE, build_network
from vidattn.preprocessing import Preprocessing

LICENCE = (
    "not in the file; on the hub OpenGVLab/VideoMAE2 (distilled S and B) says Apache-2.0, OpenGVLab/VideoMAEv2-Base "
    "and VideoMAE's own CC-BY-NC-4.0"
)
LICENCE_OF_FOLDERS = "CC-BY-NC-4.0 (OpenGVLab/VideoMAEv2-Base)"

HEADS = {384: 6, 768: 12, 1024: 16, 1280: 16, 1408: 16}
"""Width -> heads of the published encoders, S to g; the weights do not say."""

EPS = 1e-6
"""Of all norms, that after the mean included."""

FRAMES, SIDE = 16, 224
"""Of all published models' clips."""

NAMES: Names = {
    "patch": "patch_embed.proj",
    "blocks.{i}.norms.0": "blocks.{i}.norm1",
    "blocks.{i}.steps.0.attn.qkv.weight": "blocks.{i}.attn.qkv.weight",
    "blocks.{i}.steps.0.attn.qkv.query_bias": "blocks.{i}.attn.q_bias",
    "blocks.{i}.steps.0.attn.qkv.value_bias": "blocks.{i}.attn.v_bias",
    "blocks.{i}.steps.0.attn.proj": "blocks.{i}.attn.proj",
    "blocks.{i}.mlp_norm": "blocks.{i}.norm2",
    "blocks.{i}.mlp.fc1": "blocks.{i}.mlp.fc1",
    "blocks.{i}.mlp.fc2": "blocks.{i}.mlp.fc2",
    "norm": "fc_norm",
    "head": "head",
}
"""Names of a classifier without wrappers; of a pre-trained encoder the last norm comes before the mean."""

HARMLESS_INSIDE = {
    *(
        "in_chans",
        "num_classes",
        "drop_rate",
        "attn_drop_rate",
        "drop_path_rate",
        "with_cp",
        "norm_layer",
        "init_scale",
    ),
    *("head_drop_rate", "all_frames"),
}
"""Keys of a folder's `model_config` that make no difference, or that the weights show."""


def recognises(found: Any) -> bool:
    """Whether a file's content is of this kind: tubelets, and biases for queries and values alone."""
    weights = tensors_of(found)
    patch = weights.get("patch_embed.proj.weight", weights.get("encoder.patch_embed.proj.weight"))
    return patch is not None and patch.ndim == 5 and any(name.endswith(".attn.q_bias") for name in weights)


def read(found: dict[str, Any], path: Path) -> Saved:
    """A fine-tuned or distilled classifier, or a pre-trained encoder without its decoder.

    Raises:
        WeightsError: the weights do not fit.
    """
    weights, notes = encoder_of(tensors_of(found))
    dim, depth, hidden, box = _shapes(weights)
    heads = HEADS.get(dim, max(1, dim // 64))
    notes += [
        f"num_heads: assumed {heads}, as published for width {dim}; the file does not say",
        f"num_frames, image_size: assumed {FRAMES} and {SIDE}, the file does not say",
    ]
    numbers = {"embed_dim": dim, "depth": depth, "num_heads": heads, "mlp_ratio": mlp_ratio(hidden, dim)}
    about = {"num_frames": FRAMES, "image_size": SIDE, "tubelet_size": box[0], "patch_size": box[1], "norm_eps": EPS}
    saved = _filled(weights, {**numbers, **about}, notes, LICENCE)
    usual = Preprocessing(image_size=SIDE).with_pixels(**PIXELS)
    return Saved(saved.config, saved.state, [], usual, saved.notes, heads_assumed=True, licence=saved.licence)


def read_folder(config: Foreign, weights: dict[str, Tensor]) -> Saved:
    """A folder of VideoMAEv2's with code of its own, which is not run: its `config.json` says what it builds.

    Raises:
        WeightsError: it has parts that vidattn does not, a key of it is not known, or the weights do not fit.
    """
    weights, notes = encoder_of(weights)
    inside = config.part("model_config")
    for switch in ("cos_attn", "use_learnable_pos_emb"):
        if inside.switch(switch, False):
            raise inside.error(switch, "false, as in all published models")
    if not inside.switch("use_mean_pooling", True):
        raise inside.error("use_mean_pooling", "true, as in all published models")
    if inside.raw("init_values"):
        raise inside.error("init_values", "0, no LayerScale, as in all published models")
    patch, tubelet, dim = patch_side(inside), inside.whole("tubelet_size", 2), inside.whole("embed_dim", 768)
    size, cut = floored_sides(inside.sides("img_size", SIDE), patch)
    frames, left = floored("num_frames", inside.whole("num_frames", FRAMES), tubelet)
    numbers = {
        "embed_dim": dim,
        "depth": inside.whole("depth", 12, most=1000),
        "num_heads": inside.whole("num_heads", 12),
        "mlp_ratio": inside.number("mlp_ratio", 4.0),
        "norm_eps": inside.number("layer_norm_eps", EPS),
        "num_frames": frames,
        "image_size": size,
        "patch_size": patch,
        "tubelet_size": tubelet,
    }
    inside.switch("qkv_bias", True)  # the weights show it
    inside.refuse_others(HARMLESS_INSIDE)
    config.refuse_others(HARMLESS | {"auto_map"})
    return _filled(weights, numbers, [*notes, *cut, *left], LICENCE_OF_FOLDERS)


def encoder_of(weights: dict[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """The weights by the names of a classifier, and what was left out: of pre-training the decoder."""
    weights, notes = without(weights, DECODER, "the decoder of pre-training")
    if any(name.startswith("encoder.") for name in weights):
        weights = {name.removeprefix("encoder."): value for name, value in weights.items()}
    moved = {f"norm.{part}": f"fc_norm.{part}" for part in ("weight", "bias")}
    return {moved.get(name, name): value for name, value in weights.items()}, notes


def _shapes(weights: dict[str, Tensor]) -> tuple[int, int, int, tuple[int, int]]:
    """Width, depth, width of the MLPs, and frames and pixels of a tubelet."""
    patch, hidden = weights["patch_embed.proj.weight"], weights.get("blocks.0.mlp.fc1.weight")
    if hidden is None or patch.shape[1] != 3 or patch.shape[3] != patch.shape[4]:
        raise WeightsError(f"no VideoMAE: patch_embed.proj.weight is {tuple(patch.shape)}; wanted (D, 3, 2, p, p)")
    depth = sum(name.startswith("blocks.") and name.endswith(".norm2.weight") for name in weights)
    return patch.shape[0], depth, hidden.shape[0], (patch.shape[2], patch.shape[3])


def _filled(weights: dict[str, Tensor], numbers: dict[str, Any], notes: list[str], licence: str) -> Saved:
    absent = [name for name in ("head", "fc_norm") if f"{name}.weight" not in weights]
    config = VideoTransformerConfig(
        attention=VIDEOMAE.attention,
        num_classes=400 if "head" in absent else weights["head.weight"].shape[0],
        position=VIDEOMAE.position,
        pooling=VIDEOMAE.pooling,
        qkv_bias=VIDEOMAE.qkv_bias,
        **numbers,
    )
    with torch.device("meta"):
        network = build_network(config)
    missing = ["norm" if name == "fc_norm" else name for name in absent]
    return Saved(config, renamed(weights, NAMES, network, missing), notes=notes, licence=licence)
