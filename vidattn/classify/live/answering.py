"""From a window to its probabilities: as one clip, or frame by frame where the network looks at frames so."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from vidattn.classify.live.ring import Window
from vidattn.models.frame_by_frame import FrameByFrame

if TYPE_CHECKING:
    from vidattn.classify.classifier import Classifier

Answering = Callable[[Window], np.ndarray]
"""A window -> probabilities `(K,)`, the mean over crops."""


def answering(classifier: "Classifier") -> Answering:
    """What answers fastest about windows that share frames."""
    network = classifier.network
    if isinstance(network, FrameByFrame) and network.each_alone:
        return EachFrameOnce(classifier, network)
    return lambda window: classifier.probabilities(window.clip()).double().mean(0).numpy()


class EachFrameOnce:
    """Answers with a network whose frames meet late: a frame goes through its first part once, however many windows it
    is in.

    Args:
        classifier: whose probabilities are asked.
        network: the classifier's.
    """

    def __init__(self, classifier: "Classifier", network: FrameByFrame) -> None:
        self.classifier, self.network = classifier, network

    @torch.inference_mode()
    def __call__(self, window: Window) -> np.ndarray:
        """Probabilities `(K,)`; keeps the vectors of frames in place of their pixels."""
        fresh = [frame for frame in dict.fromkeys(window.frames) if frame.vector is None]
        if fresh:
            clip = Window(fresh, window.came).clip()
            vectors = torch.cat([self.network.of_frames(part) for part in self.classifier.batches(clip)])
            for frame, vector in zip(fresh, vectors.unbind(1), strict=True):
                frame.vector, frame.pixels = vector, None
        frames = torch.stack([frame.vector for frame in window.frames], dim=1)  # type: ignore[misc]
        logits = self.network.over_frames(frames).float().cpu()
        return self.classifier.answered(logits).double().mean(0).numpy()
