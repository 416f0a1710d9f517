"""What is to be learnt from a clip: a `TargetEncoder` adds it to the batch, in entries of its own."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from vidattn.data.videos.manifest import Video

Target = dict[str, Any]


class TargetEncoder(ABC):
    """From a video of the list to the targets of its clips, and from the targets of several clips to a batch.

    The base of one's own: boxes, directions, pictures of a teacher. Entries have names that the batch does not use yet
    (see `vidattn.data.clips.items`); `label` is that of classification.
    """

    on_picture: ClassVar[bool] = True
    """Whether `encode` looks at `size`: in evaluation, where frames are cropped as they are read, it costs a frame."""

    @abstractmethod
    def encode(self, video: Video, frames: Sequence[int], size: tuple[int, int]) -> Target:
        """The target of one clip, by name of its entries.

        A `torchvision.tv_tensors.BoundingBoxes` (or `Mask`) in it goes through the transforms together with the clip:
        what is drawn for the pixels moves it too. Everything else stays as it is.

        Args:
            video: the video of the list.
            frames: of the clip, T numbers within the file.
            size: height and width of the frames before any transform.
        """

    @abstractmethod
    def batch(self, targets: Sequence[Target]) -> dict[str, Tensor | list[Any]]:
        """V targets as entries of a batch: tensors of V rows, or lists of V. V is 0 where a video was skipped."""


class ClassLabel(TargetEncoder):
    """One class a video: `label`, int64 `(V,)`, -1 where it is not known."""

    on_picture = False

    def encode(self, video: Video, frames: Sequence[int], size: tuple[int, int]) -> Target:
        """The video's class."""
        return {"label": -1 if video.label is None else video.label}

    def batch(self, targets: Sequence[Target]) -> dict[str, Tensor | list[Any]]:
        """`label`, `(V,)`."""
        return {"label": torch.tensor([target["label"] for target in targets], dtype=torch.int64)}


class ClassLabels(TargetEncoder):
    """Any number of classes a video: `label`, float32 `(V, K)`, 1 for each class of the video.

    Args:
        num_classes: K.
    """

    on_picture = False

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes

    def encode(self, video: Video, frames: Sequence[int], size: tuple[int, int]) -> Target:
        """The video's classes as a vector `(K,)`."""
        label = torch.zeros(self.num_classes)
        label[list(video.labels)] = 1
        return {"label": label}

    def batch(self, targets: Sequence[Target]) -> dict[str, Tensor | list[Any]]:
        """`label`, `(V, K)`."""
        none = torch.empty(0, self.num_classes)
        return {"label": torch.stack([target["label"] for target in targets]) if targets else none}
