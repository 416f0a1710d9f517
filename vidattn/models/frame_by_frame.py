"""Networks whose frames meet late: what comes before is each frame's own, and need not be computed twice."""

from abc import ABC, abstractmethod

from torch import Tensor


class FrameByFrame(ABC):
    """A network with `network(video) == over_frames(of_frames(video))`, where of a frame nothing else is looked at.

    Whoever shows it clips that share frames (a window that slides over a stream) keeps what `of_frames` has said.
    """

    @property
    @abstractmethod
    def each_alone(self) -> bool:
        """Whether a frame stands for itself: not where patches are tubelets of several."""

    @abstractmethod
    def of_frames(self, video: Tensor) -> Tensor:
        """Normalised clips of any length `(B, 3, T, H, W)` -> a vector of each frame, `(B, T, D)`."""

    @abstractmethod
    def over_frames(self, frames: Tensor) -> Tensor:
        """Vectors of frames in their order, `(B, T, D)` -> logits `(B, K)`."""
