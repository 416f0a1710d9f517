"""Networks assembled from attention steps."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.models.actions import OneAction as OneAction, SeveralActions as SeveralActions
    from vidattn.models.attentive_probe import AttentiveProbe as AttentiveProbe
    from vidattn.models.block import Block as Block
    from vidattn.models.config import VideoTransformerConfig as VideoTransformerConfig
    from vidattn.models.embeddings import PatchEmbedding as PatchEmbedding, TubeletEmbedding as TubeletEmbedding
    from vidattn.models.factorised_encoder import FactorisedEncoder as FactorisedEncoder
    from vidattn.models.hierarchical import HierarchicalTransformer as HierarchicalTransformer
    from vidattn.models.hierarchical_config import HierarchicalConfig as HierarchicalConfig
    from vidattn.models.image_classifier import (
        ImageClassifier as ImageClassifier,
        ImageClassifierConfig as ImageClassifierConfig,
        lift as lift,
    )
    from vidattn.models.masks import FrameMask as FrameMask, RandomMask as RandomMask, TubeMask as TubeMask
    from vidattn.models.normalize import NORMALIZATIONS as NORMALIZATIONS, Normalize as Normalize
    from vidattn.models.pixel_decoder import Decoder as Decoder
    from vidattn.models.presets import (
        PRESETS as PRESETS,
        build_network as build_network,
        list_presets as list_presets,
        preset as preset,
    )
    from vidattn.models.query_decoder import (
        DeformableCross as DeformableCross,
        DenseCross as DenseCross,
        Queries as Queries,
        QueryDecoder as QueryDecoder,
    )
    from vidattn.models.readout import (
        AttentivePooling as AttentivePooling,
        ClassToken as ClassToken,
        MeanOfNormed as MeanOfNormed,
        MeanPooling as MeanPooling,
        ReadOut as ReadOut,
        RegisterTokens as RegisterTokens,
    )
    from vidattn.models.space_only import SpaceOnlyTransformer as SpaceOnlyTransformer
    from vidattn.models.video_transformer import VideoTransformer as VideoTransformer

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.models.actions": ["OneAction", "SeveralActions"],
        "vidattn.models.attentive_probe": ["AttentiveProbe"],
        "vidattn.models.block": ["Block"],
        "vidattn.models.config": ["VideoTransformerConfig"],
        "vidattn.models.embeddings": ["PatchEmbedding", "TubeletEmbedding"],
        "vidattn.models.factorised_encoder": ["FactorisedEncoder"],
        "vidattn.models.hierarchical": ["HierarchicalTransformer"],
        "vidattn.models.hierarchical_config": ["HierarchicalConfig"],
        "vidattn.models.image_classifier": ["ImageClassifier", "ImageClassifierConfig", "lift"],
        "vidattn.models.masks": ["FrameMask", "RandomMask", "TubeMask"],
        "vidattn.models.normalize": ["NORMALIZATIONS", "Normalize"],
        "vidattn.models.pixel_decoder": ["Decoder"],
        "vidattn.models.presets": ["PRESETS", "build_network", "list_presets", "preset"],
        "vidattn.models.query_decoder": ["DeformableCross", "DenseCross", "Queries", "QueryDecoder"],
        "vidattn.models.readout": [
            *("AttentivePooling", "ClassToken", "MeanOfNormed", "MeanPooling", "ReadOut", "RegisterTokens"),
        ],
        "vidattn.models.space_only": ["SpaceOnlyTransformer"],
        "vidattn.models.video_transformer": ["VideoTransformer"],
    },
)
