"""The people of a clip: their boxes in each of its frames, and what they do."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class People:
    """The target of one clip in detection: each entry is one person.

    A batch has beside `video` (see `vidattn.data.clips.items`):

    - `people`: a list of V of these;
    - `frames`: int64 `(V, T)`, the numbers of the clip's frames in the file. In evaluation -1 stands where the clip
      answers for no frame: where it repeats an edge, or another clip answers;
    - `lost`: int64 `(V,)`, boxes that left the picture in the transforms (one person in one frame is one box).

    Args:
        boxes: float32 `(P, T, 4)`: x1, y1, x2, y2 in fractions of the picture that the network sees; zeros where the
            person has none.
        present: bool `(P, T)`: whether the person has a box in that frame of the clip.
        actions: float32 `(P, C)`: 1 for each class of the person within the clip, one or several.
    """

    boxes: Tensor
    present: Tensor
    actions: Tensor

    def __len__(self) -> int:
        """How many people, P."""
        return len(self.boxes)

    @classmethod
    def nobody(cls, num_frames: int, num_classes: int) -> "People":
        """Of a clip in which there is no one.

        >>> len(People.nobody(num_frames=8, num_classes=3))
        0
        """
        return cls(
            torch.zeros(0, num_frames, 4),
            torch.zeros(0, num_frames, dtype=torch.bool),
            torch.zeros(0, num_classes),
        )
