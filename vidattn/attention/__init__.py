"""Attention schemes as small residual steps, one idea per file."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.attention.axial import HeightAttention as HeightAttention, WidthAttention as WidthAttention
    from vidattn.attention.base import ImageAttention as ImageAttention, VideoAttention as VideoAttention
    from vidattn.attention.factorised import (
        PlainTemporalAttention as PlainTemporalAttention,
        SplitHeadsAttention as SplitHeadsAttention,
    )
    from vidattn.attention.joint import JointAttention as JointAttention
    from vidattn.attention.linear import JointLinearAttention as JointLinearAttention
    from vidattn.attention.local_global import GlobalAttention as GlobalAttention, LocalAttention as LocalAttention
    from vidattn.attention.neighborhood import NeighborhoodAttention3D as NeighborhoodAttention3D
    from vidattn.attention.per_frame import PerFrame as PerFrame
    from vidattn.attention.pooled import PooledAttention as PooledAttention
    from vidattn.attention.position_encoding import PositionalEncodingGenerator3D as PositionalEncodingGenerator3D
    from vidattn.attention.scheme import (
        ALIASES as ALIASES,
        STEPS as STEPS,
        Step as Step,
        list_attentions as list_attentions,
        parse_scheme as parse_scheme,
    )
    from vidattn.attention.spatial import SpatialAttention as SpatialAttention
    from vidattn.attention.temporal import TemporalAttention as TemporalAttention
    from vidattn.attention.trajectory import TrajectoryAttention as TrajectoryAttention
    from vidattn.attention.window import (
        ShiftedWindowAttention3D as ShiftedWindowAttention3D,
        WindowAttention3D as WindowAttention3D,
    )

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.attention.axial": ["HeightAttention", "WidthAttention"],
        "vidattn.attention.base": ["ImageAttention", "VideoAttention"],
        "vidattn.attention.factorised": ["PlainTemporalAttention", "SplitHeadsAttention"],
        "vidattn.attention.joint": ["JointAttention"],
        "vidattn.attention.linear": ["JointLinearAttention"],
        "vidattn.attention.local_global": ["GlobalAttention", "LocalAttention"],
        "vidattn.attention.neighborhood": ["NeighborhoodAttention3D"],
        "vidattn.attention.per_frame": ["PerFrame"],
        "vidattn.attention.pooled": ["PooledAttention"],
        "vidattn.attention.position_encoding": ["PositionalEncodingGenerator3D"],
        "vidattn.attention.scheme": ["ALIASES", "STEPS", "Step", "list_attentions", "parse_scheme"],
        "vidattn.attention.spatial": ["SpatialAttention"],
        "vidattn.attention.temporal": ["TemporalAttention"],
        "vidattn.attention.trajectory": ["TrajectoryAttention"],
        "vidattn.attention.window": ["ShiftedWindowAttention3D", "WindowAttention3D"],
    },
)
