"""Attention for video understanding.

>>> from vidattn import build_network, preset
>>> network = build_network(preset("Ti", attention="time+space"))
>>> network.macs(frames=8, height=224, width=224).total
13529201664
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidattn.attention.base import ImageAttention, VideoAttention
    from vidattn.checkpoints.load import load
    from vidattn.checkpoints.pretrained import Pretrained
    from vidattn.classify.classifier import Classifier
    from vidattn.data.readers import open_video
    from vidattn.grid import Grid
    from vidattn.macs import Macs
    from vidattn.models.config import VideoTransformerConfig
    from vidattn.models.presets import PRESETS, build_network, preset

__all__ = [
    "PRESETS",
    "Classifier",
    "Grid",
    "ImageAttention",
    "Macs",
    "Pretrained",
    "VideoAttention",
    "VideoTransformerConfig",
    "build_network",
    "load",
    "open_video",
    "preset",
]

_HOMES = {
    "PRESETS": "vidattn.models.presets",
    "Classifier": "vidattn.classify.classifier",
    "Grid": "vidattn.grid",
    "ImageAttention": "vidattn.attention.base",
    "Macs": "vidattn.macs",
    "Pretrained": "vidattn.checkpoints.pretrained",
    "VideoAttention": "vidattn.attention.base",
    "VideoTransformerConfig": "vidattn.models.config",
    "build_network": "vidattn.models.presets",
    "load": "vidattn.checkpoints.load",
    "open_video": "vidattn.data.readers",
    "preset": "vidattn.models.presets",
}


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first asked for: commands start in a blink, and `vidattn doctor` also runs
    where torch or torchvision does not load."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vidattn' has no attribute {name!r}; public names: {', '.join(__all__)}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
