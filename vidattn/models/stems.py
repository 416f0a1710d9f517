"""How pixels become the tokens of a network in stages."""

from torch import nn

from vidattn.attention.imported import named
from vidattn.models.convolution_stem import ConvolutionStem
from vidattn.models.frame_patches import PatchStem
from vidattn.models.overlapping import OverlappingTubelets
from vidattn.models.swin_parts import FilledTubelets

STEMS: dict[str, type[nn.Module]] = {
    "filled": FilledTubelets,
    "overlapping": OverlappingTubelets,
    "patch_conv": PatchStem,
    "convolutions": ConvolutionStem,
}
"""Stems by the name that a configuration gives, each made of width, patch, tubelet, parts and norm's epsilon.

They make `(B, T/t, H/p, W/p, D)`, rounded up, of `(B, 3, T, H, W)`; `macs` tells what so many tokens cost.

`filled`: tubelets side by side, and a norm; zeros fill up the last (Video Swin).
`overlapping`: a convolution that sees some of the neighbours' pixels (MViT, Hiera).
`patch_conv`: patches of each frame, and a norm with an epsilon of its own (PVT).
`convolutions`: two of 3 x 3 pixels on each frame, the first of stride 2 (CoAtNet).
"""


def stem_named(name: str) -> type[nn.Module]:
    """The stem of this name, or at this import path.

    Raises:
        ValueError: there is none.
    """
    return named(name, STEMS, "stem")
