"""What the model is shown of a video."""

from typing import NamedTuple

from torch import Tensor


class ClipViews(NamedTuple):
    """The clips of one video, cropped, as the network gets them but for the normalisation.

    Args:
        path: the file, "<bytes>" or "<array>".
        video: uint8 `(V, 3, T, S, S)`, RGB, clip by clip; no view is there twice.
        seconds: when each frame of each clip is shown, `num_clips` lists of T.
        notes: what was done about a video that is too short, and the like.
    """

    path: str
    video: Tensor
    seconds: list[list[float]]
    notes: list[str]

    @property
    def middle(self) -> tuple[Tensor, list[float]]:
        """The middle crop of the middle clip, `(3, T, S, S)`, and the seconds of its frames."""
        num_crops = len(self.video) // len(self.seconds)
        clip = len(self.seconds) // 2
        return self.video[clip * num_crops + num_crops // 2], self.seconds[clip]
