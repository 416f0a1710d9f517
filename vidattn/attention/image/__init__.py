"""2D image attention blocks, one paper per file.

Each is an `ImageAttention`: maps `(B, C, H, W)` in and out, any H and W. It can stand alone in anyone's network, in
the blocks of `vidattn.models.image_classifier`, and by its name in the scheme of a video model: `time+swin(7)`,
`time+cbam`. What one pixel sees of a block, its cost and its paper stand on the class; notebooks/image_blocks.md has
them in one table (`vidattn.attention.image_table`). `vidattn.attention.image.reach` computes what one pixel sees.
"""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.attention.image.acmix import ACmix as ACmix
    from vidattn.attention.image.axial import (
        AxialAttention as AxialAttention,
        CrissCrossAttention as CrissCrossAttention,
    )
    from vidattn.attention.image.cbam import (
        CBAM as CBAM,
        ChannelAttention as ChannelAttention,
        SpatialGate as SpatialGate,
    )
    from vidattn.attention.image.cross_window import CrossShapedWindowAttention as CrossShapedWindowAttention
    from vidattn.attention.image.deformable import DeformableAttention as DeformableAttention
    from vidattn.attention.image.graph import GraphAttention as GraphAttention
    from vidattn.attention.image.large_kernel import (
        LargeKernelAttention as LargeKernelAttention,
        MultiScaleLargeKernelAttention as MultiScaleLargeKernelAttention,
    )
    from vidattn.attention.image.linear import LinearAttention as LinearAttention
    from vidattn.attention.image.mbconv import MBConv as MBConv
    from vidattn.attention.image.mbconv_se import SqueezedMBConv as SqueezedMBConv
    from vidattn.attention.image.neighborhood import NeighborhoodAttention as NeighborhoodAttention
    from vidattn.attention.image.non_local import NonLocal as NonLocal, PooledNonLocal as PooledNonLocal
    from vidattn.attention.image.position_encoding import PositionalEncodingGenerator as PositionalEncodingGenerator
    from vidattn.attention.image.pyramid import SpatialReductionAttention as SpatialReductionAttention
    from vidattn.attention.image.relative import RelativeAttention as RelativeAttention
    from vidattn.attention.image.self_attention import MapAttention as MapAttention
    from vidattn.attention.image.squeeze_excite import SqueezeExcite as SqueezeExcite
    from vidattn.attention.image.stand_alone import StandAloneAttention as StandAloneAttention
    from vidattn.attention.image.twins import (
        LocallyGroupedAttention as LocallyGroupedAttention,
        TwoStageAttention as TwoStageAttention,
    )
    from vidattn.attention.image.window import (
        ShiftedWindowAttention as ShiftedWindowAttention,
        WindowAttention as WindowAttention,
    )

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.attention.image.acmix": ["ACmix"],
        "vidattn.attention.image.axial": ["AxialAttention", "CrissCrossAttention"],
        "vidattn.attention.image.cbam": ["CBAM", "ChannelAttention", "SpatialGate"],
        "vidattn.attention.image.cross_window": ["CrossShapedWindowAttention"],
        "vidattn.attention.image.deformable": ["DeformableAttention"],
        "vidattn.attention.image.graph": ["GraphAttention"],
        "vidattn.attention.image.large_kernel": ["LargeKernelAttention", "MultiScaleLargeKernelAttention"],
        "vidattn.attention.image.linear": ["LinearAttention"],
        "vidattn.attention.image.mbconv": ["MBConv"],
        "vidattn.attention.image.mbconv_se": ["SqueezedMBConv"],
        "vidattn.attention.image.neighborhood": ["NeighborhoodAttention"],
        "vidattn.attention.image.non_local": ["NonLocal", "PooledNonLocal"],
        "vidattn.attention.image.position_encoding": ["PositionalEncodingGenerator"],
        "vidattn.attention.image.pyramid": ["SpatialReductionAttention"],
        "vidattn.attention.image.relative": ["RelativeAttention"],
        "vidattn.attention.image.self_attention": ["MapAttention"],
        "vidattn.attention.image.squeeze_excite": ["SqueezeExcite"],
        "vidattn.attention.image.stand_alone": ["StandAloneAttention"],
        "vidattn.attention.image.twins": ["LocallyGroupedAttention", "TwoStageAttention"],
        "vidattn.attention.image.window": ["ShiftedWindowAttention", "WindowAttention"],
    },
)
