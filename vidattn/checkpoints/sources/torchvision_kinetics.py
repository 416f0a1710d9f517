"""The classes of torchvision's weights for Kinetics-400, and their terms, which its files do not name."""

TERMS = (
    "not stated with the weights: torchvision (BSD-3-Clause) took them from {origin} (Apache-2.0) and says that they "
    "may have terms of the data that they were trained on: Kinetics-400, for its own"
)
"""Of torchvision's weights for video, with `origin` for the repository that it names as their recipe."""


def kinetics_names(num_classes: int) -> tuple[list[str], list[str]]:
    """The names in torchvision's order and a line that says whose they are, if there are as many; else neither."""
    from torchvision.models.video import Swin3D_T_Weights

    names = list(Swin3D_T_Weights.KINETICS400_V1.meta["categories"])
    if len(names) != num_classes:
        return [], []
    return names, ["class names: taken as those of torchvision's weights for Kinetics-400; the file names none"]
