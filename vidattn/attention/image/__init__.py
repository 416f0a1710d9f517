"""2D image attention blocks, one paper per file.

Each is an `ImageAttention`: maps `(B, C, H, W)` in and out, any H and W. It can stand alone in anyone's network, in
the blocks of `vidattn.models.image_classifier`, and by its name in the scheme of a video model: `time+swin(7)`,
`time+cbam`. N is the number of pixels, k a window's side, w a window's or stripe's width, R a reduction; costs leave
out the projections, `O(N C^2)` in all. `vidattn.attention.image.reach` computes what one pixel sees of a block.

| spec                 | what one pixel sees                           | cost              | paper                  |
|----------------------|-----------------------------------------------|-------------------|------------------------|
| `map`                | the map                                       | N^2 C             | ViT 2010.11929         |
| `relative`           | the map, biased by offset                     | N^2 C             | CoAtNet 2106.04803     |
| `non_local`          | the map                                       | N^2 C             | 1711.07971             |
| `pooled_non_local`   | the map, max-pooled by 2 x 2                  | N^2 C / 4         | 1711.07971             |
| `graph`              | the k pixels with the most similar features   | N^2 C + N k C     | 1710.10903, 2206.00272 |
| `pvt`                | the map, reduced by R in each direction       | N^2 C / R^2       | PVT 2102.12122         |
| `dat`                | N / R^2 points that the image moves           | N^2 C / R^2       | DAT 2201.00520         |
| `twins`              | its window, then the map reduced by R         | N (w^2 + N/R^2) C | Twins 2104.13840       |
| `image_axial`        | its row, then every row of its column         | N (H + W) C       | 1912.12180, 2003.07853 |
| `criss_cross`        | its row and column                            | N (H + W) C       | CCNet 1811.11721       |
| `cswin`              | stripes of w rows and of w columns            | N w (H + W) C     | CSWin 2107.00652       |
| `image_window`       | its w x w window                              | N w^2 C           | Swin 2103.14030        |
| `swin`               | its w x w window, shifted every second block  | N w^2 C           | Swin 2103.14030        |
| `local_group`        | its w x w window, no position bias            | N w^2 C           | Twins 2104.13840       |
| `image_neighborhood` | the k x k nearest pixels, also dilated        | N k^2 C           | 2204.07143, 2209.15001 |
| `stand_alone`        | the k x k pixels around it                    | N k^2 C           | 1906.05909             |
| `acmix`              | k x k pixels, by attention and by convolution | N k^2 C           | ACmix 2111.14556       |
| `lka`                | about 21 x 21 pixels, by convolutions         | 74 N C            | VAN 2202.09741         |
| `mlka`               | the same at three scales, at most 39 x 39     | 107 N C           | MAN 2209.14145         |
| `mbconv`             | k x k pixels, by convolution                  | e k^2 N C         | CoAtNet 2106.04803     |
| `peg`                | k x k pixels, by convolution                  | k^2 N C           | CPVT 2102.10882        |
| `image_linear`       | the map, through sums of all keys             | N C^2 / heads     | 2006.16236             |
| `squeeze_excite`     | the map's mean, as a gate of channels         | C^2 / r           | SE 1709.01507          |
| `channel_attention`  | the map's mean and maximum, as a gate         | C^2 / r           | CBAM 1807.06521        |
| `spatial_gate`       | k x k pixels, as a gate of pixels             | k^2 N             | CBAM 1807.06521        |
| `cbam`               | both gates                                    | C^2 / r + k^2 N   | CBAM 1807.06521        |
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
