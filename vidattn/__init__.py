"""Attention for video understanding.

>>> network = build_network(preset("Ti", attention="time+space"))
>>> network.macs(frames=8, height=224, width=224).total
13529201664
"""

from vidattn.attention.base import ImageAttention, VideoAttention
from vidattn.checkpoints.load import load_network
from vidattn.data.readers import open_video
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import PRESETS, build_network, preset

__all__ = [
    "PRESETS",
    "Grid",
    "ImageAttention",
    "Macs",
    "VideoAttention",
    "VideoTransformerConfig",
    "build_network",
    "load_network",
    "open_video",
    "preset",
]
