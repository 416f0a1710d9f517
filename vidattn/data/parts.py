"""How the data of a run is decoded and loaded: what `VideoDataModule` is told about it, checked as it is said."""

from dataclasses import dataclass, field
from typing import Any

import torch

from vidattn.data.clips.dataset import OnError, collate
from vidattn.data.readers import READERS
from vidattn.data.readers.frame_index import FrameIndex
from vidattn.data.readers.guarded import LONGEST
from vidattn.data.readers.opening import VideoOpener
from vidattn.data.readers.quarantine import Quarantine
from vidattn.mistakes import Mistake


@dataclass(frozen=True)
class Decoding:
    """Which reader opens the videos, and what becomes of those that it cannot read; see `VideoDataModule`.

    Raises:
        ValueError: a value is not possible; or the quarantine's list or the index cannot be read.
    """

    reader: str = "pyav"
    on_error: OnError | None = None
    decode_timeout: float | None = 60.0
    quarantine: str | None = None
    index: str | None = None
    quarantined: Quarantine | None = field(init=False, repr=False, compare=False)
    known_frames: FrameIndex | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.reader not in READERS:
            raise Mistake(f"data.reader={self.reader!r} is unknown; choose one of {', '.join(READERS)}")
        if self.decode_timeout is not None and not 0 < self.decode_timeout <= LONGEST:
            raise Mistake(
                f"data.decode_timeout={self.decode_timeout}; expected more than 0 seconds, at most {LONGEST} "
                "(24 days), or null for none"
            )
        quarantine = Quarantine(self.quarantine) if self.quarantine else None
        if quarantine is not None:
            quarantine.read()
        object.__setattr__(self, "quarantined", quarantine)
        object.__setattr__(self, "known_frames", FrameIndex(self.index) if self.index else None)

    def opener(self) -> VideoOpener:
        """A new one, for one loader."""
        return VideoOpener(self.reader, self.decode_timeout, self.quarantined, self.known_frames)


@dataclass(frozen=True)
class Loading:
    """How many clips make a batch, and how many processes decode them; see `VideoDataModule`.

    Raises:
        ValueError: a number is too small, or does not go with another.
    """

    batch_size: int = 8
    clips_per_video: int = 1
    eval_batch_size: int = 4
    num_workers: int = 0
    shuffle_buffer: int = 1000

    def __post_init__(self) -> None:
        for name, least in (("batch_size", 1), ("eval_batch_size", 1), ("shuffle_buffer", 1), ("num_workers", 0)):
            if getattr(self, name) < least:
                raise Mistake(f"data.{name}={getattr(self, name)}; expected {least} or more")
        if self.clips_per_video < 1 or self.batch_size % self.clips_per_video:
            raise Mistake(f"batch_size={self.batch_size} is not a multiple of clips_per_video={self.clips_per_video}")

    @property
    def videos_per_batch(self) -> int:
        """Videos that a training batch is made of."""
        return self.batch_size // self.clips_per_video

    def options(self) -> dict[str, Any]:
        """What every `DataLoader` of the run is given."""
        return {
            "collate_fn": collate,
            "num_workers": self.num_workers,
            "persistent_workers": self.num_workers > 0,
            "pin_memory": torch.cuda.is_available(),
            # Without its own generator a loader draws from the global one, and would shift the model's dropout.
            "generator": torch.Generator(),
        }


def check_together(decoding: Decoding, loading: Loading) -> None:
    """
    Raises:
        ValueError: the reader decodes where data workers cannot.
    """
    if decoding.reader == "torchcodec_cuda" and loading.num_workers > 0:
        raise Mistake(
            f"reader=torchcodec_cuda decodes on the GPU, which num_workers={loading.num_workers} forked data workers "
            "cannot use; set data.num_workers=0"
        )
