"""One vector of each video: what a network knows of it before its head, to search, to group, to classify by."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from rich.progress import track
from torch import nn

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checks import check_positive
from vidattn.classify.clip_views import ClipViews
from vidattn.classify.device import usable_device
from vidattn.classify.in_batches import in_batches
from vidattn.classify.numbers import check_numbers
from vidattn.classify.preparation import Preparation, preparation_of
from vidattn.classify.sources import Many, One, Skipped, expand, open_source
from vidattn.classify.spare_memory import SpareMemory
from vidattn.classify.video_features import VideoFeatures, VideoVector
from vidattn.data.clips.sampling import Sampler
from vidattn.mistakes import Mistake
from vidattn.models.network import Network
from vidattn.models.normalize import Normalize


class FeatureExtractor:
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
        precision: Literal["fp32", "bf16"] = "fp32",
        batch_size: int = 8,
        reader: str = "pyav",
    ) -> None:
        if not isinstance(network, Network):
            raise Mistake(
                f"{type(network).__name__} has no features to read; wanted a network of vidattn.models, or a subclass "
                "of vidattn.models.network.Network"
            )
        if precision not in ("fp32", "bf16"):
            raise Mistake(f"precision={precision!r} is unknown; choose fp32 or bf16")
        check_positive(batch_size=batch_size)
        self.device = usable_device(device)
        self.dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.network = network.to(self.device, self.dtype).eval()
        self.normalize = Normalize(preparation.mean, preparation.std).to(self.device)
        self.preparation = preparation
        self.batch_size = batch_size
        self.reader = reader
        self.notes = list(preparation.assumed)
        self._spare_memory = SpareMemory()

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        device: str | int | torch.device | None = None,
        precision: Literal["fp32", "bf16"] = "fp32",
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
        model = load(source)
        try:
            preparation = preparation_of(model.config, model.preprocessing, sampling, image_size, num_clips, num_crops)
        except WeightsError as error:
            raise WeightsError(f"{source}: {error}") from None
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
        videos, several, skipped = expand(source)
        if not several:
            return self._vectors([self._views(videos[0], fps)])[0].vector
        rows: list[VideoVector] = []
        for row in self.stream(track(videos, "Reading features", disable=not progress), fps):
            if isinstance(row, VideoVector):
                rows.append(row)
            else:
                skipped.append(row)
        return VideoFeatures.of(rows, skipped)

    def stream(self, videos: Iterable[One], fps: float = 30.0) -> Iterator[VideoVector | Skipped]:
        """The vectors of many videos while they come, in their order; a file that cannot be read is `Skipped`.

        Args:
            videos: one after the other, as for `__call__`.
            fps: frames per second of frames given as an array.

        Raises:
            ValueError: an array is not what is wanted, or `videos` is one video: a path, bytes or a stream.
        """
        return in_batches(videos, lambda video: self._views(video, fps), self._vectors, self.batch_size)

    def _views(self, source: One, fps: float) -> ClipViews:
        with open_source(source, self.reader, fps) as reader:
            return self.preparation.views(reader)

    @torch.inference_mode()
    def _vectors(self, several: Sequence[ClipViews]) -> list[VideoVector]:
        """One for each video, whose views go through the network together."""
        if not several:
            return []
        rows = []
        for batch in torch.cat([views.video for views in several]).split(self.batch_size):
            clips = self.normalize(batch.to(self.device)).to(self.dtype)
            rows.append(self.network.read(self.network.features(clips)).float().cpu())
        vectors = torch.cat(rows)
        check_numbers(vectors, self.network)
        self._spare_memory.answered(len(several))
        means = [rows.mean(0).numpy() for rows in vectors.split([len(views.video) for views in several])]
        return [VideoVector(views.path, vector) for views, vector in zip(several, means, strict=True)]
