"""A network that is shown videos: on its device, in its precision, in batches."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Generic, Literal, TypeVar

import torch
from rich.progress import track
from torch import Tensor, nn

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checks import check_positive
from vidattn.classify.clip_views import ClipViews
from vidattn.classify.device import usable_device
from vidattn.classify.in_batches import in_batches
from vidattn.classify.preparation import Preparation, preparation_of
from vidattn.classify.sources import Many, One, Skipped, expand, open_source
from vidattn.classify.spare_memory import SpareMemory
from vidattn.data.clips.sampling import Sampler
from vidattn.export.exported import is_exported, read_exported
from vidattn.mistakes import Mistake
from vidattn.models.normalize import Normalize

Precision = Literal["fp32", "bf16"]
Answer = TypeVar("Answer")


class VideoRunner(ABC, Generic[Answer]):
    """Shows a network one video or many; a subclass says what an answer about one is.

    Args:
        network: normalised clips in.
        preparation: which frames the network sees, and at what size.
        device: "cuda" where there is one, else "cpu", by default.
        precision: "bf16" takes half the memory.
        batch_size: clips that go through the network together.
        reader: "pyav", "decord", "torchcodec" or "torchcodec_cuda".

    Raises:
        ValueError: there is no such device or precision, or batches would be empty.

    Attributes:
        notes: what the checkpoint does not say, and what was chosen instead.
    """

    def __init__(
        self,
        network: nn.Module,
        preparation: Preparation,
        device: str | int | torch.device | None,
        precision: Precision,
        batch_size: int,
        reader: str,
    ) -> None:
        if precision not in ("fp32", "bf16"):
            raise Mistake(f"precision={precision!r} is unknown; choose fp32 or bf16")
        check_positive(batch_size=batch_size)
        self.device = usable_device(device)
        self.precision = precision
        self.dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.network = network.to(self.device, self.dtype).eval()
        self.normalize = Normalize(preparation.mean, preparation.std).to(self.device)
        self.preparation = preparation
        self.batch_size = batch_size
        self.reader = reader
        self.notes = list(preparation.assumed)
        self._spare_memory = SpareMemory()

    def stream(self, videos: Iterable[One], fps: float = 30.0) -> Iterator[Answer | Skipped]:
        """The answers about many videos while they come, in their order; a file that cannot be read is `Skipped`.

        Up to `batch_size` views wait for one another. Memory does not grow with the list.

        Args:
            videos: one after the other, as for `__call__`.
            fps: frames per second of frames given as an array.

        Raises:
            ValueError: an array is not what is wanted, or `videos` is one video: a path, bytes or a stream.
        """
        return in_batches(videos, lambda video: self.views(video, fps), self._answer, self.batch_size)

    def views(self, source: One, fps: float = 30.0) -> ClipViews:
        """What the network is shown of one video; see `__call__`."""
        with open_source(source, self.reader, fps) as reader:
            return self.preparation.views(reader)

    def _all(self, source: Many, fps: float, bar: str, progress: bool) -> tuple[list[Answer], list[Skipped], bool]:
        """The answers about all that `source` stands for, what could not be read, and whether it may be several."""
        videos, several, skipped = expand(source)
        if not several:
            return self._answer([self.views(videos[0], fps)]), [], False
        answers: list[Answer] = []
        for answer in self.stream(track(videos, bar, disable=not progress), fps):
            if isinstance(answer, Skipped):
                skipped.append(answer)
            else:
                answers.append(answer)
        return answers, skipped, True

    def batches(self, video: Tensor) -> Iterator[Tensor]:
        """uint8 clips `(V, 3, T, S, S)` as the network wants them, so many at a time."""
        for batch in video.split(self.batch_size):
            yield self.normalize(batch.to(self.device)).to(self.dtype)

    @abstractmethod
    def _answer(self, several: Sequence[ClipViews]) -> list[Answer]:
        """One for each video, whose views go through the network together."""


def load_prepared(
    source: str | Path | Pretrained, sampling: Sampler | None, image_size: int | None, num_clips: int, num_crops: int
) -> tuple[Pretrained, Preparation]:
    """What `vidattn.load` reads, or an exported file holds, and what its network is to be shown of a video.

    Args:
        source: a folder, a file, a run, or the id of a model on the Hugging Face hub; see `vidattn.load`. Or what
            `vidattn export` has written: a .onnx, or a .pt2 of somebody whom you trust. Or what has been loaded by now.
        sampling: which frames make a clip, instead of the checkpoint's rule.
        image_size: side of the clips in pixels, instead of the checkpoint's.
        num_clips: clips of a video, evenly over time.
        num_crops: crops of each clip: 1 is the centre.

    Raises:
        WeightsError: the source cannot be read; files are never unpickled as code.
        ValueError: size or sampling do not fit it.
    """
    model = source if isinstance(source, Pretrained) else _read(source)
    try:
        return model, preparation_of(model.config, model.preprocessing, sampling, image_size, num_clips, num_crops)
    except WeightsError as error:
        raise WeightsError(f"{name_of_model(source)}: {error}") from None


def _read(source: str | Path) -> Pretrained:
    return read_exported(source) if is_exported(source) else load(source)


def name_of_model(source: str | Path | Pretrained) -> str:
    """What messages call it."""
    return str(source.source or "the model") if isinstance(source, Pretrained) else str(source)
