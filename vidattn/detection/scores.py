"""All that is said of a detector, from what it has found and what is true."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidattn.detection.curve import Curve
from vidattn.detection.found import FrameBoxes, FrameTruth
from vidattn.detection.frame_map import STRICTER, Compared, MeanPrecision, ava_map, free_choice, precisions
from vidattn.detection.recall import box_recall, top_box_accuracy
from vidattn.detection.tubes import Linking, true_tubes
from vidattn.detection.video_map import video_map


@dataclass(frozen=True)
class DetectionScores:
    """Shares from 0 to 1; nan where there is nothing to be found.

    Args:
        frames: frame-mAP at the overlaps 0.5, 0.55 ... 0.95.
        ava: AVA's mAP at 0.5, over all classes (lists read with AVA's label map have those that count).
        videos: video-mAP at 0.2 and the same overlaps.
        recall: of true boxes at 0.5, whatever their class.
        top_box: frames whose surest box lies on someone at 0.5.
        evaluated: frames that have an answer, of how many.
    """

    frames: Sequence[MeanPrecision]
    ava: MeanPrecision
    videos: Sequence[MeanPrecision]
    recall: float
    top_box: float
    evaluated: tuple[int, int]

    @classmethod
    def of(
        cls, found: Sequence[FrameBoxes], truth: Sequence[FrameTruth], linking: Linking = Linking()
    ) -> "DetectionScores":
        """Compare.

        Args:
            found: at most one of each frame.
            truth: of all frames that are evaluated, also those with no one, saying who is who.
            linking: makes tubes of what was found.

        Raises:
            Mistake: a frame has two answers, or an answer and no truth.
        """
        compared = Compared.of(found, truth)
        frames = precisions(compared, STRICTER, free_choice, Curve.trapezoids)
        num_classes = np.asarray(truth[0].actions).shape[-1] if truth else 0
        videos = video_map(linking.tubes(found), true_tubes(truth), num_classes, (0.2, *STRICTER))
        recall, top_box = box_recall(found, truth), top_box_accuracy(found, truth)
        return cls(frames, ava_map(found, truth), videos, recall, top_box, compared.evaluated)

    @property
    def numbers(self) -> dict[str, float]:
        """By name, as a scorecard has them."""
        tubes = [result.mean for result in self.videos]
        boxes = [result.mean for result in self.frames]
        return {
            "frame_map_50": boxes[0],
            "frame_map_50_95": float(np.mean(boxes)),
            "ava_map_50": self.ava.mean,
            "video_map_20": tubes[0],
            "video_map_50": tubes[1],
            "video_map_75": tubes[1 + STRICTER.index(0.75)],
            "video_map_50_95": float(np.mean(tubes[1:])),
            "box_recall_50": self.recall,
            "top_box_50": self.top_box,
            "frames_evaluated": self.evaluated[0],
            "frames": self.evaluated[1],
        }
