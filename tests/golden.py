"""What every kind of network was named and answered before the core moved; `python tests/golden.py` rewrites it.

The file beside this one was written at the last commit before the core was rebuilt. It is not to be written again to
make a test pass: state dicts of users hold these names.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

import vidattn
from vidattn.attention.scheme import ALIASES, STEPS
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.image_classifier import ImageClassifier, ImageClassifierConfig
from vidattn.models.presets import PRESETS

FILE = Path(__file__).with_suffix(".json")
SMALL = VideoTransformerConfig(
    num_classes=3, num_frames=4, image_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2
)
STEPS_SINCE = ("mbconv_se", "mvit", "swin3d", "unit")
"""Steps that came later."""
SCHEMES = [
    *ALIASES,
    "joint",
    "space",
    "space>time(2)",
    "local+global",
    "time+window(2,3,3)",
    "neighborhood(3,3,3)",
    "linear",
    "pooled(1,2,2)",
    "trajectory",
    "space+temporal",
]
PARTS = [
    {"pooling": pooling, "attention": attention}
    for pooling in ("class_token", "registers", "mean", "attentive")
    for attention in ("divided", "joint", "space", "space>time(2)", "axial", "trajectory")
] + [
    {"position": "token"},
    {"position": "sine", "pooling": "mean"},
    {"position": "none", "conditional_position": "peg"},
    {"conditional_position": "peg3d"},
    {"conditional_position": "peg", "attention": "space"},
    {"norm": "dyt"},
    {"norm": "dyt", "query_key": "norm+rotary", "attention": "joint"},
    {"norm": "dyt", "attention": "pooled(1,2,2)"},
    {"activation": "gelu_tanh"},
    {"qkv_bias": "query_value"},
    {"qkv_bias": "none", "attention": "space>time(2)"},
    {"query_key": "norm"},
    {"query_key": "rotary", "attention": "local+global"},
    {"query_key": "norm+rotary", "attention": "space|time"},
    {"tubelet_size": 2},
    {"tubelet_size": 2, "attention": "space", "pooling": "mean"},
    {"image_size": (32, 48)},
]
PRESETS_BEFORE = (
    *("Ti", "S", "B", "L", "timesformer", "timesformer-hr", "timesformer-l"),
    *("vivit-b", "videomae-s", "videomae-b", "videomae-l", "videomae-h"),
)
"""Presets of that day; later ones are held to what they come from (tests/models/test_presets.py)."""
IMAGES = ["swin(4)", "map", ("mbconv", "relative")]


def cases() -> dict[str, Callable[[], nn.Module]]:
    """What builds every kind of network at small width, by a name that tells what differs."""
    configs = {f"attention={scheme}": replace(SMALL, attention=scheme) for scheme in SCHEMES}
    configs |= {
        f"attention=time+{name}": replace(SMALL, attention=f"time+{name}", pooling="mean")
        for name in STEPS
        if name not in STEPS_SINCE
    }
    configs |= {
        ",".join(f"{key}={value}" for key, value in part.items()): replace(SMALL, **part)  # type: ignore[arg-type]
        for part in PARTS
    }
    for name in PRESETS_BEFORE:
        full = PRESETS[name]
        frames = 2 * full.tubelet_size
        configs[f"preset={name}"] = replace(
            full, num_classes=3, num_frames=frames, image_size=32, embed_dim=24, depth=2, num_heads=2
        )
    build: dict[str, Callable[[], nn.Module]]
    build = {name: partial(vidattn.build_network, config) for name, config in configs.items()}
    for scheme in IMAGES:
        config = ImageClassifierConfig(attention=scheme, num_classes=3, widths=(16, 32), depths=(1, 2), head_dim=8)
        build[f"image={scheme}"] = partial(ImageClassifier, config)
    return build


def drawn(name: str, shape: torch.Size) -> Tensor:
    """Numbers that depend on a name alone, whatever was drawn before."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def filled(network: nn.Module) -> nn.Module:
    """The network in fp64 and evaluation mode, each entry of its state dict filled by its name."""
    network = network.double().eval()
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            values = 0.3 * drawn(name, tensor.shape)
            tensor.copy_(values.abs() + 0.5 if name.endswith("running_var") else values)
    return network


def told(network: nn.Module) -> dict:
    """Keys and shapes of the state dict, and the answer to a clip (or image) whose numbers are fixed too."""
    network = filled(network)
    config = network.config
    if isinstance(network, ImageClassifier):
        pixels = drawn("image", torch.Size((2, 3, 40, 32)))
    else:
        frames, (height, width) = config.num_frames, config.size
        pixels = drawn("clip", torch.Size((2, 3, frames, height, width)))
    with torch.no_grad():
        logits = network(pixels)
    state = {key: list(value.shape) for key, value in network.state_dict().items()}
    return {"state": state, "logits": [[round(one, 9) for one in row] for row in logits.tolist()]}


def write() -> None:
    """Write the file."""
    lines = [f"{json.dumps(name)}: {json.dumps(told(build()))}" for name, build in cases().items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write()
