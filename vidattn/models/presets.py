"""Sizes and settings that papers use, by name."""

import fnmatch
from dataclasses import replace
from typing import Any, Literal, overload

from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.hierarchical_presets import HIERARCHICAL
from vidattn.models.network import Network, NetworkConfig
from vidattn.models.videoprism import VideoPrismConfig

VIDEOMAE = VideoTransformerConfig(
    attention="joint",
    num_frames=16,
    tubelet_size=2,
    position="sine",
    pooling="mean",
    qkv_bias="query_value",
    norm_eps=1e-12,
)

VIDEOMAE2 = replace(VIDEOMAE, num_classes=710, norm_eps=1e-6)
VJEPA2 = VideoTransformerConfig(
    attention="joint",
    num_frames=64,
    image_size=256,
    tubelet_size=2,
    embed_dim=1024,
    depth=24,
    num_heads=16,
    position="none",
    query_key="tiled_rotary",
    pooling="attentive_probe",
)
VJEPA2_G = replace(VJEPA2, embed_dim=1408, depth=40, num_heads=22, mlp_ratio=48 / 11)
VJEPA2_1 = replace(VJEPA2, image_size=384, query_key="scaled_rotary")

VIT: dict[str, VideoTransformerConfig] = {
    # ViT sizes at patch 16: https://arxiv.org/abs/2010.11929, table 1; Ti and S: https://arxiv.org/abs/2012.12877.
    "Ti": VideoTransformerConfig(embed_dim=192, depth=12, num_heads=3),
    "S": VideoTransformerConfig(embed_dim=384, depth=12, num_heads=6),
    "B": VideoTransformerConfig(embed_dim=768, depth=12, num_heads=12),
    "L": VideoTransformerConfig(embed_dim=1024, depth=24, num_heads=16),
    # TimeSformer, https://arxiv.org/abs/2102.05095, section 4.3: all three are ViT-B.
    "timesformer": VideoTransformerConfig(num_frames=8, image_size=224),
    "timesformer-hr": VideoTransformerConfig(num_frames=16, image_size=448),
    "timesformer-l": VideoTransformerConfig(num_frames=96, image_size=224),
    # ViViT-B/16x2, model 1, https://arxiv.org/abs/2103.15691, table 1, as in its code and HF's.
    "vivit-b": VideoTransformerConfig(
        attention="joint", num_frames=32, tubelet_size=2, position="token", activation="gelu_tanh"
    ),
    # VideoMAE's fine-tuned encoders, https://arxiv.org/abs/2203.12602, appendix, as in its code and HF's.
    "videomae-s": replace(VIDEOMAE, embed_dim=384, num_heads=6),
    "videomae-b": VIDEOMAE,
    "videomae-l": replace(VIDEOMAE, embed_dim=1024, depth=24, num_heads=16),
    "videomae-h": replace(VIDEOMAE, embed_dim=1280, depth=32, num_heads=16),
    # VideoMAEv2's, https://arxiv.org/abs/2303.16727, tables 1 and 8, with the 710 classes of Kinetics put together.
    "videomaev2-s": replace(VIDEOMAE2, embed_dim=384, num_heads=6),
    "videomaev2-b": VIDEOMAE2,
    "videomaev2-g": replace(VIDEOMAE2, patch_size=14, embed_dim=1408, depth=40, num_heads=16, mlp_ratio=48 / 11),
    # V-JEPA 2's encoders with its attentive probe, https://arxiv.org/abs/2506.09985, table 12, as in its code and HF's.
    "vjepa2-l": VJEPA2,
    "vjepa2-h": replace(VJEPA2, embed_dim=1280, depth=32),
    "vjepa2-g": VJEPA2_G,
    "vjepa2-g-384": replace(VJEPA2_G, image_size=384),
    # V-JEPA 2.1's, https://arxiv.org/abs/2603.14482, as in its code, with the same probe.
    "vjepa2_1-b": replace(VJEPA2_1, embed_dim=768, depth=12, num_heads=12),
    "vjepa2_1-l": VJEPA2_1,
    "vjepa2_1-g": replace(VJEPA2_1, embed_dim=1408, depth=40, num_heads=22, mlp_ratio=48 / 11),
    "vjepa2_1-G": replace(VJEPA2_1, embed_dim=1664, depth=48, num_heads=26, mlp_ratio=64 / 13),
}
"""Networks of one width."""

Schemed = VideoTransformerConfig | HierarchicalConfig
"""Configurations in which one attention scheme can stand for another."""

PRESETS: dict[str, Schemed] = {**VIT, **HIERARCHICAL}
"""Complete configurations, with divided attention unless a paper has another, and the 400 classes of Kinetics unless
weights have others."""


FIXED: dict[str, VideoPrismConfig] = {
    # VideoPrism, https://arxiv.org/abs/2402.13217, as in its code and HF's.
    "videoprism-b": VideoPrismConfig(),
    "videoprism-l": VideoPrismConfig(num_frames=8, embed_dim=1024, spatial_depth=24, num_heads=16),
}
"""Presets of networks in which no other scheme can stand."""


def list_presets(filter: str = "*") -> list[str]:
    """The names of `PRESETS` and `FIXED` that a pattern fits, as in a shell.

    >>> list_presets("videomae-*")
    ['videomae-s', 'videomae-b', 'videomae-l', 'videomae-h']
    """
    return fnmatch.filter([*PRESETS, *FIXED], filter)


Staged = Literal[
    "swin3d-t",
    "swin3d-s",
    "swin3d-b",
    "mvit-v2-s",
    "hiera-b",
    "hiera-b-plus",
    "hiera-l",
    "pvt-tiny",
    "pvt-small",
    "pvt-medium",
    "pvt-large",
    "coatnet-0",
    "coatnet-1",
    "coatnet-2",
    "coatnet-3",
    "coatnet-4",
    "coatnet-5",
]


@overload
def preset(name: Staged, **changes: Any) -> HierarchicalConfig: ...
@overload
def preset(name: Literal["videoprism-b", "videoprism-l"], **changes: Any) -> VideoPrismConfig: ...
@overload
def preset(name: str, **changes: Any) -> VideoTransformerConfig: ...
def preset(name: str, **changes: Any) -> Schemed | VideoPrismConfig:
    """The configuration of this name with some fields changed.

    >>> preset("S", attention="joint").embed_dim
    384

    Raises:
        ValueError: the name is unknown, or no other scheme can stand in that network.
    """
    if name in FIXED and "attention" in changes:
        raise Mistake(f"attention={changes['attention']!r}: no other scheme can stand in preset {name!r}")
    if name in FIXED:
        return replace(FIXED[name], **changes)
    if name not in PRESETS:
        raise Mistake(f"preset {name!r} is unknown; choose one of {', '.join([*PRESETS, *FIXED])}")
    return replace(PRESETS[name], **changes)


def build_network(config: NetworkConfig) -> Network:
    """The network that `config` describes."""
    return config.build()
