"""Sizes of networks in stages that papers use, by name."""

from dataclasses import replace

from vidattn.models.hierarchical_config import HierarchicalConfig

SWIN = HierarchicalConfig()
HIERA = HierarchicalConfig(
    attention=("unit(1,8,8)", "unit(1,4,4)", "joint", "joint"),
    num_frames=16,
    depths=(2, 3, 16, 3),
    num_heads=(1, 2, 4, 8),
    downsampling=("max_pool(1,8,8)", "max_pool(1,4,4)", "max_pool"),
    stem="overlapping",
    position="space+time",
    pooling="mean",
    norm_eps=1e-6,
)

HIERARCHICAL: dict[str, HierarchicalConfig] = {
    # Video Swin, https://arxiv.org/abs/2106.13230, section 3.3, for 32 frames, as in torchvision.
    "swin3d-t": SWIN,
    "swin3d-s": replace(SWIN, depths=(2, 2, 18, 2)),
    "swin3d-b": replace(SWIN, widths=(128, 256, 512, 1024), depths=(2, 2, 18, 2), num_heads=(4, 8, 16, 32)),
    # MViTv2, https://arxiv.org/abs/2112.01526, table 8, as in torchvision.
    "mvit-v2-s": HierarchicalConfig(
        attention=("mvit(1,8,8)", "mvit(1,4,4)", "mvit(1,2,2)", "mvit(1,1,1)"),
        num_frames=16,
        depths=(1, 2, 11, 2),
        num_heads=(1, 2, 4, 8),
        downsampling=("conv_pool(1,4,4)", "conv_pool(1,2,2)", "conv_pool(1,1,1)"),
        stem="overlapping",
        pooling="class_token",
        norm_eps=1e-6,
    ),
    # Hiera, https://arxiv.org/abs/2306.00989, table 9, as in its package.
    "hiera-b": HIERA,
    "hiera-b-plus": replace(HIERA, widths=(112, 224, 448, 896), num_heads=(2, 4, 8, 16)),
    "hiera-l": replace(HIERA, widths=(144, 288, 576, 1152), depths=(2, 6, 36, 4), num_heads=(2, 4, 8, 16)),
}
"""Complete configurations, with the 400 classes of Kinetics."""
