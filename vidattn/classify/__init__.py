"""From a file to an answer: class names with probabilities."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.classify.classifier import Classifier as Classifier
    from vidattn.classify.detector import Detector as Detector
    from vidattn.classify.feature_extractor import FeatureExtractor as FeatureExtractor
    from vidattn.classify.prediction import Prediction as Prediction, Predictions as Predictions
    from vidattn.classify.preparation import Preparation as Preparation
    from vidattn.classify.sources import Skipped as Skipped
    from vidattn.classify.temporal_probe import TemporalProbe as TemporalProbe
    from vidattn.classify.timeline import Timeline as Timeline
    from vidattn.classify.video_detections import VideoDetections as VideoDetections
    from vidattn.classify.video_features import VideoFeatures as VideoFeatures, VideoVector as VideoVector

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.classify.classifier": ["Classifier"],
        "vidattn.classify.detector": ["Detector"],
        "vidattn.classify.feature_extractor": ["FeatureExtractor"],
        "vidattn.classify.prediction": ["Prediction", "Predictions"],
        "vidattn.classify.preparation": ["Preparation"],
        "vidattn.classify.sources": ["Skipped"],
        "vidattn.classify.temporal_probe": ["TemporalProbe"],
        "vidattn.classify.timeline": ["Timeline"],
        "vidattn.classify.video_detections": ["VideoDetections"],
        "vidattn.classify.video_features": ["VideoFeatures", "VideoVector"],
    },
)
