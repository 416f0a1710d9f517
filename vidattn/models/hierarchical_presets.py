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
PVT = HierarchicalConfig(
    attention=("pvt(8)", "pvt(4)", "pvt(2)", "space"),
    num_classes=1000,
    num_frames=1,
    widths=(64, 128, 320, 512),
    depths=(2, 2, 2, 2),
    num_heads=(1, 2, 5, 8),
    downsampling=("patch_conv", "patch_conv", "patch_conv(1)"),
    tubelet_size=1,
    stem="patch_conv",
    position="map",
    pooling="class_token",
    mlp_ratio=(8.0, 8.0, 4.0, 4.0),
    norm_eps=1e-6,
)
COATNET = HierarchicalConfig(
    attention=("mbconv_se", "mbconv_se", "relative(14,14)", "relative(7,7)"),
    num_classes=1000,
    num_frames=1,
    widths=(96, 192, 384, 768),
    depths=(2, 3, 5, 2),
    num_heads=(3, 6, 12, 24),
    downsampling=("mbconv", "mbconv", "relative(14,14)", "relative(7,7)"),
    patch_size=2,
    tubelet_size=1,
    stem="convolutions",
    stem_width=64,
    pooling="hidden_mean",
    norm_eps=1e-6,
)
COATNET_3 = replace(
    COATNET, widths=(192, 384, 768, 1536), depths=(2, 6, 14, 2), num_heads=(6, 12, 24, 48), stem_width=192
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
    # PVT, https://arxiv.org/abs/2102.12122, table 1, for images: clips of one frame, with ImageNet's 1000 classes.
    "pvt-tiny": PVT,
    "pvt-small": replace(PVT, depths=(3, 4, 6, 3)),
    "pvt-medium": replace(PVT, depths=(3, 4, 18, 3)),
    "pvt-large": replace(PVT, depths=(3, 8, 27, 3)),
    # CoAtNet, https://arxiv.org/abs/2106.04803, table 3, as in timm, for images too.
    "coatnet-0": COATNET,
    "coatnet-1": replace(COATNET, depths=(2, 6, 14, 2)),
    "coatnet-2": replace(
        COATNET, widths=(128, 256, 512, 1024), depths=(2, 6, 14, 2), num_heads=(4, 8, 16, 32), stem_width=128
    ),
    "coatnet-3": COATNET_3,
    "coatnet-4": replace(COATNET_3, depths=(2, 12, 28, 2)),
    "coatnet-5": replace(COATNET_3, widths=(256, 512, 1280, 2048), depths=(2, 12, 28, 2), num_heads=(8, 16, 40, 64)),
}
"""Complete configurations, with the 400 classes of Kinetics."""
