"""Training video classifiers with Lightning."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.training.attention_measures import (
        DistanceFromUniform as DistanceFromUniform,
        GateSize as GateSize,
        MissingEntropy as MissingEntropy,
    )
    from vidattn.training.attention_penalty import AttentionPenalty as AttentionPenalty
    from vidattn.training.denoising import Denoising as Denoising
    from vidattn.training.detector import ActionDetector as ActionDetector
    from vidattn.training.distil import Distillation as Distillation
    from vidattn.training.freezing import FrozenBackbone as FrozenBackbone
    from vidattn.training.lessons import (
        Lesson as Lesson,
        TeachFeatures as TeachFeatures,
        TeachLogits as TeachLogits,
    )
    from vidattn.training.map_lesson import TeachMaps as TeachMaps
    from vidattn.training.masked_autoencoder import MaskedAutoencoder as MaskedAutoencoder
    from vidattn.training.matching import BoxWeights as BoxWeights
    from vidattn.training.metrics import ViewAccuracy as ViewAccuracy, ViewPrecision as ViewPrecision
    from vidattn.training.mixing import Mixing as Mixing
    from vidattn.training.module import VideoModule as VideoModule
    from vidattn.training.momentum_contrast import MomentumContrast as MomentumContrast
    from vidattn.training.objective import MultiLabel as MultiLabel, Objective as Objective, OneLabel as OneLabel
    from vidattn.training.parameter_groups import (
        LayerDecay as LayerDecay,
        OneRate as OneRate,
        ParameterGroups as ParameterGroups,
    )
    from vidattn.training.predictions import PredictionWriter as PredictionWriter
    from vidattn.training.progressive import ProgressiveAttention as ProgressiveAttention
    from vidattn.training.schedule import (
        Constant as Constant,
        Schedule as Schedule,
        Steps as Steps,
        WarmupCosine as WarmupCosine,
    )
    from vidattn.training.scorecard import Scorecard as Scorecard
    from vidattn.training.simmim import SimMIM as SimMIM
    from vidattn.training.skipped import SkippedVideos as SkippedVideos
    from vidattn.training.threads import CoresForDecoding as CoresForDecoding
    from vidattn.training.video_classifier import VideoClassifier as VideoClassifier

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.training.attention_measures": ["DistanceFromUniform", "GateSize", "MissingEntropy"],
        "vidattn.training.attention_penalty": ["AttentionPenalty"],
        "vidattn.training.denoising": ["Denoising"],
        "vidattn.training.detector": ["ActionDetector"],
        "vidattn.training.distil": ["Distillation"],
        "vidattn.training.freezing": ["FrozenBackbone"],
        "vidattn.training.lessons": ["Lesson", "TeachFeatures", "TeachLogits"],
        "vidattn.training.map_lesson": ["TeachMaps"],
        "vidattn.training.masked_autoencoder": ["MaskedAutoencoder"],
        "vidattn.training.matching": ["BoxWeights"],
        "vidattn.training.metrics": ["ViewAccuracy", "ViewPrecision"],
        "vidattn.training.mixing": ["Mixing"],
        "vidattn.training.module": ["VideoModule"],
        "vidattn.training.momentum_contrast": ["MomentumContrast"],
        "vidattn.training.objective": ["MultiLabel", "Objective", "OneLabel"],
        "vidattn.training.parameter_groups": ["LayerDecay", "OneRate", "ParameterGroups"],
        "vidattn.training.predictions": ["PredictionWriter"],
        "vidattn.training.schedule": ["Constant", "Schedule", "Steps", "WarmupCosine"],
        "vidattn.training.progressive": ["ProgressiveAttention"],
        "vidattn.training.scorecard": ["Scorecard"],
        "vidattn.training.simmim": ["SimMIM"],
        "vidattn.training.skipped": ["SkippedVideos"],
        "vidattn.training.threads": ["CoresForDecoding"],
        "vidattn.training.video_classifier": ["VideoClassifier"],
    },
)
