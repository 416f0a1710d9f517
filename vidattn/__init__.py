"""Attention for video understanding.

>>> from vidattn import build_network, preset
>>> network = build_network(preset("Ti", attention="time+space"))
>>> network.macs(frames=8, height=224, width=224).total
13529201664
"""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.attention.base import ImageAttention as ImageAttention, VideoAttention as VideoAttention
    from vidattn.attention.scheme import list_attentions as list_attentions
    from vidattn.checkpoints.loading import load as load
    from vidattn.checkpoints.pretrained import Pretrained as Pretrained
    from vidattn.classify.classifier import Classifier as Classifier
    from vidattn.classify.detector import Detector as Detector
    from vidattn.comparison.comparison import compare as compare, crossovers as crossovers
    from vidattn.data.datamodule import VideoDataModule as VideoDataModule
    from vidattn.data.readers import open_video as open_video
    from vidattn.grid import Grid as Grid
    from vidattn.macs import Macs as Macs
    from vidattn.models.config import VideoTransformerConfig as VideoTransformerConfig
    from vidattn.models.hierarchical_config import HierarchicalConfig as HierarchicalConfig
    from vidattn.models.lean import lean as lean
    from vidattn.models.presets import (
        PRESETS as PRESETS,
        build_network as build_network,
        list_presets as list_presets,
        preset as preset,
    )
    from vidattn.models.video_transformer import VideoTransformer as VideoTransformer
    from vidattn.training.detector import ActionDetector as ActionDetector
    from vidattn.training.distil import Distillation as Distillation
    from vidattn.training.masked_autoencoder import MaskedAutoencoder as MaskedAutoencoder
    from vidattn.training.module import VideoModule as VideoModule
    from vidattn.training.momentum_contrast import MomentumContrast as MomentumContrast
    from vidattn.training.simmim import SimMIM as SimMIM
    from vidattn.training.video_classifier import VideoClassifier as VideoClassifier

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.attention.base": ["ImageAttention", "VideoAttention"],
        "vidattn.attention.scheme": ["list_attentions"],
        "vidattn.checkpoints.loading": ["load"],
        "vidattn.checkpoints.pretrained": ["Pretrained"],
        "vidattn.classify.classifier": ["Classifier"],
        "vidattn.classify.detector": ["Detector"],
        "vidattn.comparison.comparison": ["compare", "crossovers"],
        "vidattn.data.datamodule": ["VideoDataModule"],
        "vidattn.data.readers": ["open_video"],
        "vidattn.grid": ["Grid"],
        "vidattn.macs": ["Macs"],
        "vidattn.models.config": ["VideoTransformerConfig"],
        "vidattn.models.hierarchical_config": ["HierarchicalConfig"],
        "vidattn.models.lean": ["lean"],
        "vidattn.models.presets": ["PRESETS", "build_network", "list_presets", "preset"],
        "vidattn.models.video_transformer": ["VideoTransformer"],
        "vidattn.training.detector": ["ActionDetector"],
        "vidattn.training.distil": ["Distillation"],
        "vidattn.training.masked_autoencoder": ["MaskedAutoencoder"],
        "vidattn.training.module": ["VideoModule"],
        "vidattn.training.momentum_contrast": ["MomentumContrast"],
        "vidattn.training.simmim": ["SimMIM"],
        "vidattn.training.video_classifier": ["VideoClassifier"],
    },
)
