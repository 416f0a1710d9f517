"""A tiny network for every scheme, image block, preset family, read-out and other part, and for every task."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn

from vidattn.attention.scheme import ALIASES, IMAGE_STEPS, STEPS
from vidattn.calibration.probabilities import Probabilities
from vidattn.export.graphs import DetectionGraph, FeatureGraph, Graph, ProbabilityGraph
from vidattn.models.actions import OneAction, SeveralActions
from vidattn.models.config import PARTS, VideoTransformerConfig
from vidattn.models.hierarchical_presets import HIERARCHICAL
from vidattn.models.network import NetworkConfig
from vidattn.models.normalize import Normalize
from vidattn.models.presets import FIXED, preset
from vidattn.models.query_decoder import Cross, DeformableCross, DenseCross, Queries
from vidattn.models.readout_table import READOUTS

TINY = VideoTransformerConfig(
    "joint", num_classes=3, num_frames=4, image_size=32, patch_size=8, embed_dim=24, depth=1, num_heads=2,
    position="none", pooling="mean",
)  # fmt: skip
ARGUMENTS = {
    **{"mvit": "(1,2,2)", "neighborhood": "(3,3,3)", "pooled": "(1,2,2)", "swin3d": "(2,3,3)", "unit": "(1,2,2)"},
    **{"window": "(2,3,3)", "image_window": "(3)", "swin": "(3)", "relative": "(4,4)"},
}
"""What steps are given so that a map of 4 x 4 has several windows."""

STAGES: dict[str, dict[str, Any]] = {
    "swin3d-t": {"attention": "swin3d(2,3,3)", "depths": (2, 1)},
    "mvit-v2-s": {"attention": ("mvit(1,4,4)", "mvit(1,2,2)"), "downsampling": "conv_pool(1,2,2)"},
    "hiera-b": {"attention": ("unit(1,4,4)", "joint"), "downsampling": "max_pool(1,4,4)"},
    "pvt-tiny": {"attention": ("pvt(2)", "space"), "downsampling": "patch_conv(1)", "mlp_ratio": (2.0, 3.0)},
    "coatnet-0": {
        "attention": ("mbconv_se", "relative(4,8)"), "downsampling": ("mbconv", "relative(4,8)"), "stem_width": 4
    },
}  # fmt: skip
"""Two stages of each family of networks in stages."""

FAMILIES = ("timesformer", "vivit-b", "videomae-b", "videomaev2-b", "vjepa2-l", "vjepa2_1-l")
"""A preset of each family of networks of one width."""


class Case(NamedTuple):
    """One network to export.

    Args:
        kind: scheme, image block, preset, read-out, part or task.
        name: which.
        build: the graph of it, every parameter random.
        clip: frames, height and width.
    """

    kind: str
    name: str
    build: Callable[[], Graph]
    clip: tuple[int, int, int] = (4, 32, 32)


def cases() -> list[Case]:
    """All of them, a row of the table each."""
    steps = [name for name in STEPS if name not in IMAGE_STEPS]
    found = [_scheme(name, f"{name}{ARGUMENTS.get(name, '')}") for name in steps]
    found += [_scheme(f"{alias} = {spec}", alias) for alias, spec in ALIASES.items()]
    found += [_scheme("space>time(1)", "space>time(1)")]
    found += [_scheme(name, f"{name}{ARGUMENTS.get(name, '')}", "image block") for name in IMAGE_STEPS]
    found += [_preset(name) for name in (*FAMILIES, *STAGES, "videoprism-b")]
    found += [_changed("read-out", name, pooling=name) for name in READOUTS]
    for field, names in PARTS.items():
        if field != "pooling":
            found += [_changed("part", f"{field}={name}", **{field: name}) for name in names]
    found.append(Case("task", "classify, several labels a clip", partial(_answers, TINY, True)))
    found.append(Case("task", "features", partial(_features, TINY)))
    for cross, several in ((DenseCross(), False), (DeformableCross(2), True)):
        words = f"detect, {type(cross).__name__}, {'several actions' if several else 'one action'}"
        found.append(Case("task", words, partial(_detector, TINY, cross, several)))
    return found


def _scheme(name: str, spec: str, kind: str = "scheme") -> Case:
    takes_turns = isinstance(STEPS.get(name), tuple)  # shifted in every second block
    return _changed(kind, name, attention=spec, depth=2 if takes_turns else 1)


def _changed(kind: str, name: str, **changes: Any) -> Case:
    return Case(kind, name, partial(_answers, replace(TINY, **changes)))


def _preset(name: str) -> Case:
    if name in STAGES:
        numbers = {"widths": (8, 16), "depths": (1, 1), "num_heads": (1, 2), "image_size": (32, 64)}
        config: NetworkConfig = replace(
            HIERARCHICAL[name], **{"num_classes": 3, "num_frames": 4} | numbers | STAGES[name]
        )
        return Case("preset", name, partial(_answers, config), (4, 32, 64))
    shared: dict[str, Any] = {
        name: getattr(TINY, name)
        for name in ("num_classes", "num_frames", "image_size", "patch_size", "embed_dim", "num_heads")
    }
    if name in FIXED:
        config = replace(FIXED[name], **shared, spatial_depth=1, temporal_depth=1)
    else:
        config = preset(name, **shared, depth=1)
    return Case("preset", name, partial(_answers, config))


def _random(module: nn.Module) -> nn.Module:
    """Every parameter random, around one where norms scale by it: zeros would hide what is lost."""
    torch.manual_seed(0)
    for name, parameter in module.named_parameters():
        nn.init.normal_(parameter, 1.0 if "norm" in name and name.endswith("weight") else 0.0, std=0.2)
    return module


def _normalize() -> Normalize:
    return Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))


def _answers(config: NetworkConfig, several: bool = False) -> Graph:
    return ProbabilityGraph(_random(config.build()), _normalize(), Probabilities(several))


def _features(config: NetworkConfig) -> Graph:
    network = config.build()
    _random(network)
    return FeatureGraph(network, _normalize())


def _detector(config: NetworkConfig, cross: Cross, several: bool) -> Graph:
    network = config.build()
    decoder = Queries(4, 2, 16, 1, 2, cross=cross).build(network.num_features, config.num_classes)
    graph = DetectionGraph(network, _normalize(), decoder, SeveralActions() if several else OneAction())
    _random(graph)
    return graph
