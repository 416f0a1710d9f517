"""What an answer costs beyond decoding the frames and running the network on them."""

import torch

from vidattn.bench.timing import interleaved
from vidattn.classify.classifier import Classifier
from vidattn.classify.preparation import preparation_of
from vidattn.classify.sources import open_source
from vidattn.data.clips.sampling import VideoTimes
from vidattn.models.lean import lean
from vidattn.models.normalize import NORMALIZATIONS
from vidattn.models.presets import build_network, preset
from vidattn.preprocessing import Preprocessing


def answer_seconds(classifier: Classifier, video: str, rounds: int) -> dict[str, list[float]]:
    """Seconds in each round of "decoding" (open, and read the frames of all clips), "forward" (all views, ready and
    normalised) and "answer" (the whole of `classifier(video)`)."""
    with open_source(video, classifier.reader, fps=30.0) as reader:
        times = VideoTimes(reader.num_frames, reader.fps, reader.times)
    clips = classifier.preparation.sampling.test(times, classifier.preparation.num_clips)
    frames = sorted({frame for clip in clips for frame in clip})
    views = classifier.normalize(classifier.views(video).video.to(classifier.device)).to(classifier.dtype)
    batches = views.split(classifier.batch_size)
    network = lean(classifier.network)

    def decode() -> None:
        with open_source(video, classifier.reader, fps=30.0) as reader:
            reader.frames(frames)

    @torch.inference_mode()
    def forward() -> None:
        for batch in batches:
            network(batch).cpu()

    return interleaved({"decoding": decode, "forward": forward, "answer": lambda: classifier(video)}, rounds)


def random_classifier(model: str, num_clips: int, num_crops: int) -> Classifier:
    """One with random weights: it knows nothing, and takes as long as one that does."""
    config = preset(model)
    mean, std = NORMALIZATIONS["timesformer"]
    preparation = preparation_of(config, Preprocessing(mean=mean, std=std), num_clips=num_clips, num_crops=num_crops)
    names = [f"class {label}" for label in range(config.num_classes)]
    return Classifier(build_network(config), names, preparation)
