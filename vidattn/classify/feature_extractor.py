"""One vector of each video: what a network knows of it before its head, to search, to group, to classify by."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vidattn.classify.clip_views import ClipViews
from vidattn.classify.numbers import check_numbers
from vidattn.classify.preparation import Preparation
from vidattn.classify.sources import Many
from vidattn.classify.video_features import VideoFeatures, VideoVector
from vidattn.classify.video_runner import Precision, VideoRunner, load_prepared
from vidattn.classify.view_means import means
from vidattn.data.clips.sampling import Sampler
from vidattn.mistakes import Mistake
from vidattn.models.network import Network


class FeatureExtractor(VideoRunner[VideoVector]):
    """Makes one vector of each video: the mean over its views of what the network's head takes.

    That is `network.read(network.features(clips))`, D = `network.num_features` numbers. The head itself is not asked:
    a network that has none yet, after a pre-training, will do.

    Args:
        network: normalised clips in, see `vidattn.models.network.Network`.
        preparation: which frames the network sees, and at what size.
        device: "cuda" where there is one, else "cpu", by default.
        precision: "bf16" takes half the memory.
        batch_size: clips that go through the network together.
        reader: "pyav", "decord", "torchcodec" or "torchcodec_cuda".

    Raises:
        ValueError: the network has no features, there is no such device or precision, or batches would be empty.

    Attributes:
        notes: what the checkpoint does not say, and what was chosen instead.
    """

    def __init__(
        self,
        network: nn.Module,
        preparation: Preparation,
        device: str | int | torch.device | None = None,
        precision: Precision = "fp32",
        batch_size: int = 8,
        reader: str = "pyav",
    ) -> None:
        if not isinstance(network, Network):
            raise Mistake(
                f"{type(network).__name__} has no features to read; wanted a network of vidattn.models, or a subclass "
                "of vidattn.models.network.Network"
            )
        super().__init__(network, preparation, device, precision, batch_size, reader)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        device: str | int | torch.device | None = None,
        precision: Precision = "fp32",
        sampling: Sampler | None = None,
        image_size: int | None = None,
        num_clips: int = 1,
        num_crops: int = 1,
        batch_size: int = 8,
        reader: str = "pyav",
    ) -> "FeatureExtractor":
        """From whatever `vidattn.load` reads; sampling, size, mean and std are the checkpoint's.

        Args:
            source: a folder, a file, a run, or the id of a model on the Hugging Face hub; see `vidattn.load`.
            device: see `FeatureExtractor`, as for `precision`, `batch_size` and `reader`.
            sampling: which frames make a clip, instead of the checkpoint's rule.
            image_size: side of the clips in pixels, instead of the checkpoint's.
            num_clips: clips of a video, evenly over time.
            num_crops: crops of each clip: 1 is the centre.

        Raises:
            WeightsError: the source cannot be read; files are never unpickled as code.
            ValueError: size or sampling do not fit it.
        """
        model, preparation = load_prepared(source, sampling, image_size, num_clips, num_crops)
        extractor = cls(model.network, preparation, device, precision, batch_size, reader)
        told = [line for line in model.report if not line.startswith("head: ")]  # which is not asked
        extractor.notes = [*told, *extractor.notes]
        return extractor

    def __call__(self, source: Many, fps: float = 30.0, progress: bool = True) -> np.ndarray | VideoFeatures:
        """The vector of one video, float32 `(D,)`; or the `VideoFeatures` of several (a list, a folder, a glob).

        Args:
            source: a file, a folder, a glob, a whole video as bytes or as a binary stream, frames uint8 `(T, H, W, 3)`,
                or a list of these. Frames of the very length of a clip are taken as one.
            fps: frames per second of frames given as an array.
            progress: show a bar where there are several.

        Raises:
            VideoDecodeError: a single video cannot be read; of several, those are listed in `skipped`.
            ValueError: an array is not what is wanted, or the network answers NaN.
        """
        rows, skipped, several = self._all(source, fps, "Reading features", progress)
        return VideoFeatures.of(rows, skipped) if several else rows[0].vector

    def vectors(self, video: Tensor) -> Tensor:
        """float32 `(V, D)` on the CPU from uint8 clips `(V, 3, T, S, S)`, in batches.

        Raises:
            ValueError: one is NaN: the weights are damaged, or numbers overflow.
        """
        return self.over(video, head_input)

    @torch.inference_mode()
    def over(self, video: Tensor, read: Callable[[Network, Tensor], Tensor]) -> Tensor:
        """What `read` makes of the network and normalised clips, `(V, ...)` on the CPU, in batches.

        Args:
            video: uint8 clips `(V, 3, T, S, S)`.
            read: given so many of them at a time.

        Raises:
            ValueError: a number is NaN.
        """
        network = self.network
        assert isinstance(network, Network)  # as __init__ has made sure
        rows = torch.cat([read(network, clips).cpu() for clips in self.batches(video)])
        check_numbers(rows, network)
        return rows

    def _answer(self, several: Sequence[ClipViews]) -> list[VideoVector]:
        rows = means(self.vectors, [views.video for views in several])
        self._spare_memory.answered(len(several))
        return [VideoVector(views.path, row.astype(np.float32)) for views, row in zip(several, rows, strict=True)]


def head_input(network: Network, clips: Tensor) -> Tensor:
    """What the network's head takes of normalised clips, float32 `(V, D)`."""
    return network.read(network.features(clips)).float()
