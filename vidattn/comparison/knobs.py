"""What of a network may change to bring its cost to another's: width, depth or length."""

from typing import Any

from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.presets import Schemed

KNOBS = ("width", "depth", "frames")


def choices(config: Schemed, by: str) -> list[dict[str, Any]]:
    """Changes of the configuration, the smallest first, up to several times its own: widths of a head in steps of one
    (all stages alike), depths (of networks in stages that of the deepest), or lengths in steps of a tubelet.

    >>> from vidattn import preset
    >>> choices(preset("swin3d-t"), "depth")[0], choices(preset("swin3d-t"), "width")[1]
    ({'depths': (2, 2, 1, 2)}, {'widths': (6, 12, 24, 48)})
    """
    if by == "frames":
        tubelet = config.tubelet_size
        return [{"num_frames": frames} for frames in range(tubelet, 16 * config.num_frames + 1, tubelet)]
    if not isinstance(config, HierarchicalConfig):
        heads = config.num_heads
        widths = [{"embed_dim": width} for width in range(heads, 4 * config.embed_dim + 1, heads)]
        return widths if by == "width" else [{"depth": depth} for depth in range(1, 4 * config.depth + 1)]
    if by == "depth":
        place = config.depths.index(max(config.depths))
        before, behind = config.depths[:place], config.depths[place + 1 :]
        return [{"depths": (*before, depth, *behind)} for depth in range(1, 4 * config.depths[place] + 1)]
    sides = [width // heads for width, heads in zip(config.widths, config.num_heads, strict=True)]  # of a head
    found = []
    for side in range(1, 4 * sides[0] + 1):
        scaled = [max(1, round(own * side / sides[0])) for own in sides]
        found.append({"widths": tuple(n * own for n, own in zip(config.num_heads, scaled, strict=True))})
    return found


def widths_of(config: Schemed) -> str:
    """The width; of networks in stages that of each, as in `96-192`."""
    return "-".join(map(str, config.widths)) if isinstance(config, HierarchicalConfig) else str(config.embed_dim)


def depths_of(config: Schemed) -> str:
    """The depth, likewise."""
    return "-".join(map(str, config.depths)) if isinstance(config, HierarchicalConfig) else str(config.depth)
