"""One object between a checkpoint and answers about videos."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vidattn.calibration.calibration import Calibration
from vidattn.calibration.probabilities import Probabilities
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checks import check_above_zero
from vidattn.classify.answer_names import Given, check_names, classes_of, names_for
from vidattn.classify.clip_views import ClipViews
from vidattn.classify.compiled import Compiled
from vidattn.classify.explanation_of import explanation_of
from vidattn.classify.feature_extractor import FeatureExtractor
from vidattn.classify.head import check_head
from vidattn.classify.labelled_clips import LabelledClips
from vidattn.classify.live.stream import Live
from vidattn.classify.numbers import check_numbers
from vidattn.classify.prediction import Prediction, Predictions
from vidattn.classify.prediction_of import prediction_of
from vidattn.classify.preparation import Preparation
from vidattn.classify.sources import Many, One
from vidattn.classify.temporal_probe import TemporalProbe, temporal_probe
from vidattn.classify.timeline import Timeline
from vidattn.classify.timeline_of import timeline_of
from vidattn.classify.video_features import VideoFeatures
from vidattn.classify.video_runner import Precision, VideoRunner, load_prepared, name_of_model
from vidattn.classify.view_means import means
from vidattn.data.clips.sampling import Sampler
from vidattn.data.readers.live_frames import LiveFrames, Source
from vidattn.explain.explanation import Explanation
from vidattn.models.lean import lean


class Classifier(VideoRunner[Prediction]):
    """Answers questions about videos with one network, loaded once.

    Args:
        network: normalised clips `(B, 3, T, S, S)` -> logits `(B, K)`.
        class_names: K names, each once.
        preparation: which frames the network sees, and at what size.
        device: "cuda" where there is one, else "cpu", by default.
        precision: "bf16" takes half the memory, and half the time on processors that know it.
        compile: run the network through `torch.compile`: slow at first, faster after.
        batch_size: clips that go through the network together.
        reader: "pyav", "decord", "torchcodec" or "torchcodec_cuda".
        multi_label: classes do not exclude one another: each has a probability of its own (a sigmoid, no softmax).
        calibration: what `vidattn calibrate` has measured of the network's answers.

    Raises:
        ValueError: there is no such device or precision, batches would be empty, or the names do not fit the network.

    Attributes:
        network: as it is trained: for features, maps and explanations. Answers come from its lean form
            (`vidattn.lean`), made here, once.
        notes: what the checkpoint does not say, and what was chosen instead.
    """

    def __init__(
        self,
        network: nn.Module,
        class_names: Sequence[str],
        preparation: Preparation,
        device: str | int | torch.device | None = None,
        precision: Precision = "fp32",
        compile: bool = False,
        batch_size: int = 8,
        reader: str = "pyav",
        multi_label: bool = False,
        calibration: Calibration = Calibration(),
    ) -> None:
        check_names(class_names, classes_of(network))
        super().__init__(network, preparation, device, precision, batch_size, reader)
        answering = lean(self.network)
        self._compiled = Compiled(answering) if compile else answering
        self.class_names = list(class_names)
        self.multi_label = multi_label
        self.calibration = calibration
        self._of_logits = Probabilities(multi_label, calibration)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path | Pretrained,
        device: str | int | torch.device | None = None,
        precision: Precision = "fp32",
        compile: bool = False,
        class_names: Given | None = None,
        sampling: Sampler | None = None,
        image_size: int | None = None,
        num_clips: int = 1,
        num_crops: int = 1,
        batch_size: int = 8,
        reader: str = "pyav",
    ) -> "Classifier":
        """A classifier from whatever `vidattn.load` reads; sampling, size, mean, std and names are the checkpoint's.

        Args:
            source: a folder, a file, a run, or the id of a model on the Hugging Face hub; see `vidattn.load`. Or what
                `vidattn export` has written: a .onnx, or a .pt2 of somebody whom you trust. Or what `vidattn.load` has
                returned, whose network is taken as it is, not copied.
            device: see `Classifier`, as for `precision`, `compile`, `batch_size` and `reader`.
            class_names: K names, a dict from numbers to names (Hugging Face's `id2label`), or a text file with one on
                each line, instead of the checkpoint's.
            sampling: which frames make a clip, instead of the checkpoint's rule.
            image_size: side of the clips in pixels, instead of the checkpoint's.
            num_clips: clips of a video, evenly over time; their answers are averaged.
            num_crops: crops of each clip: 1 is the centre; 3, as in most papers, costs three times as much.

        Raises:
            WeightsError: the source cannot be read, or has no head; files are never unpickled as code.
            ValueError: names, size or sampling do not fit it.
        """
        model, preparation = load_prepared(source, sampling, image_size, num_clips, num_crops)
        check_head(model, name_of_model(source))
        names, assumed = names_for(model.config.num_classes, model.class_names, class_names)
        known = model.preprocessing.multi_label, model.calibration
        classifier = cls(model.network, names, preparation, device, precision, compile, batch_size, reader, *known)
        other_views = model.calibration.doubts(num_clips * num_crops)
        classifier.notes = [*model.report, *classifier.notes, *assumed, *other_views]
        return classifier

    def __call__(self, source: Many, fps: float = 30.0, progress: bool = True) -> Prediction | Predictions:
        """The answer about one video, or the answers about several (a list, a folder, a glob).

        Args:
            source: a file, a folder, a glob, a whole video as bytes or as a binary stream, frames uint8 `(T, H, W, 3)`,
                or a list of these. Frames of the very length of a clip are taken as one.
            fps: frames per second of frames given as an array.
            progress: show a bar where there are several.

        Raises:
            VideoDecodeError: a single video cannot be read; of several, those are listed in `skipped`.
            ValueError: an array is not what is wanted, or the network answers NaN.
        """
        answers, skipped, several = self._all(source, fps, "Classifying", progress)
        return Predictions(answers, skipped) if several else answers[0]

    def features(self, source: Many, fps: float = 30.0, progress: bool = True) -> np.ndarray | VideoFeatures:
        """What the network knows of a video before its head: a vector, float32 `(D,)`, D = `network.num_features`, the
        mean over the views. Of several videos (a list, a folder, a glob) the `VideoFeatures`, `(N, D)`.

        Args:
            source: see `__call__`, as for `fps` and `progress`.
            fps: frames per second of frames given as an array.
            progress: show a bar where there are several.

        Raises:
            VideoDecodeError: a single video cannot be read; of several, those are listed in `skipped`.
            ValueError: the network is not one of ours, an array is not what is wanted, or the network answers NaN.
        """
        shown = self.preparation, self.device, self.precision, self.batch_size, self.reader
        return FeatureExtractor(self.network, *shown)(source, fps, progress)

    def __repr__(self) -> str:
        names = ", ".join(self.class_names[:3]) + (", ..." if len(self.class_names) > 3 else "")
        how = f"{self.preparation.sampling}, {self.preparation.image_size} pixels"
        return f"<Classifier of {len(self.class_names)} classes ({names}), {how}, {self.dtype} on {self.device}>"

    def timeline(
        self,
        source: One,
        window: float | None = None,
        step: float | None = None,
        fps: float = 30.0,
        progress: bool = True,
    ) -> Timeline:
        """What happens when, by windows that slide over one video of any length.

        The file is decoded once, from start to end, by PyAV; only the frames of the windows at hand are held.

        Args:
            source: one video; see `__call__`.
            window: seconds that an answer is about; by default as long as a clip in training.
            step: seconds from one window to the next; half a window by default.
            fps: frames per second of frames given as an array.
            progress: show a bar.

        Raises:
            VideoDecodeError: the video cannot be read.
            ValueError: windows would leave gaps.
            TimelineInterrupted: at Ctrl-C, with what was answered until then, if anything was.
        """
        return timeline_of(self, source, window, step, fps, progress)

    def live(
        self,
        source: Source,
        step: float | None = None,
        window: float | None = None,
        fps: float | None = None,
        format: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> Live:
        """What happens now: answers about the last seconds of a stream, one each `step` seconds, while it comes.

        Only the frames that answers look at are held. Where the machine is too slow, answers are skipped and frames
        dropped, and each answer says how many; a source that is ahead of the clock (a file) waits instead.

        Args:
            source: a camera (/dev/video0), an address (rtsp://...), an open stream of bytes (`sys.stdin.buffer`), or
                something that yields frames uint8 RGB `(H, W, 3)`.
            step: seconds from answer to answer; half a window by default. With the space and `space>time` schemes a
                frame is embedded once where `step` is a multiple of the time between the frames of a clip.
            window: seconds that an answer is about; by default as long as a clip in training.
            fps: of frames given as arrays; each is shown when it comes by default.
            format: FFmpeg's name of what a source sends, where it cannot see that itself; see
                `vidattn.data.readers.live_frames.LiveFrames`, as for `options`.
            options: for FFmpeg, such as `{"video_size": "1280x720"}`.

        Raises:
            VideoDecodeError: the source cannot be opened; or, while answers are asked for, breaks off, or ends before
                the first.
            ValueError: it is nothing that sends frames, or a number is not positive.
        """
        if fps is not None:
            check_above_zero(fps=fps)
        return Live(self, LiveFrames(source, fps, format, options), step, window)

    def explain(
        self, source: One, class_name: str | None = None, gradients: bool = True, fps: float = 30.0
    ) -> Explanation:
        """Where the model looked in the middle clip of one video, and in which frames.

        Args:
            source: one video; see `__call__`.
            class_name: the class to explain; the likeliest by default.
            gradients: follow the attention that speaks for the class; without, all attention. See
                `vidattn.explain.rollout`.
            fps: frames per second of frames given as an array.

        Raises:
            VideoDecodeError: the video cannot be read.
            ValueError: there is no such class.
            MemoryError: the clip has too many tokens for its attention weights to be kept.
        """
        return explanation_of(self, source, class_name, gradients, fps)

    def temporal_probe(
        self, videos: str | Path, root: str | Path | None = None, progress: bool = True
    ) -> TemporalProbe:
        """Whether the model uses time: its accuracy with frames in order, reversed, shuffled, and one frame repeated.

        Args:
            videos: a list of videos with their classes, or a folder with a folder of videos for each class;
                `vidattn.data.read_manifest` says which lists. The middle clip of each video is shown; videos
                that cannot be read are left out, and named in the result.
            root: folder that a list's paths start from; the list's own folder by default.
            progress: show a bar.

        Raises:
            ManifestError: the list cannot be read, or has a class that the model has not.
            ValueError: the list names no classes, or several of one video: there is no accuracy then. Or no video can
                be read.
        """
        clips = LabelledClips(videos, root, self.class_names, self.preparation, self.reader, self.batch_size, progress)
        return replace(temporal_probe(self.probabilities, clips), skipped=clips.skipped)

    @torch.inference_mode()
    def probabilities(self, video: Tensor) -> Tensor:
        """float32 `(V, K)` on the CPU from uint8 clips `(V, 3, T, S, S)`, in batches.

        Raises:
            ValueError: one is NaN: the weights are damaged, or numbers overflow. Or there are too few or many names.
        """
        return self.answered(self.logits(video))

    def answered(self, logits: Tensor) -> Tensor:
        """Calibrated probabilities of logits `(V, K)`, checked.

        Raises:
            ValueError: as `probabilities`.
        """
        probabilities = self._of_logits(logits)
        check_names(self.class_names, probabilities.shape[1])  # the network may have no head that tells
        check_numbers(probabilities, self.network)
        return probabilities

    @torch.inference_mode()
    def logits(self, video: Tensor) -> Tensor:
        """float32 `(V, K)` on the CPU, likewise: what the network itself says, not calibrated."""
        return torch.cat([self._compiled(clips) for clips in self.batches(video)]).float().cpu()

    def _answer(self, several: Sequence[ClipViews]) -> list[Prediction]:
        rows, threshold = means(self.probabilities, [views.video for views in several]), self.calibration.threshold
        self._spare_memory.answered(len(several))
        both = zip(several, rows, strict=True)
        return [prediction_of(views, row, self.class_names, threshold, self.notes) for views, row in both]
