"""What readers of other backends share: each video is compared with PyAV before their frames are trusted."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from vidattn.data.readers.against_pyav import check_agreement
from vidattn.data.readers.base import Keep, Source, VideoReader, check_indices, load_source
from vidattn.data.readers.filled_clip import FilledClip
from vidattn.data.readers.library_errors import library_errors
from vidattn.mistakes import Mistake

_ADVICE = "use reader=pyav for this file"
_AT_ONCE = 4  # pictures that are decoded together where only a part of each is kept


class ComparedReader(VideoReader):
    """Frames of one video by a backend that is opened, asked and closed here; a subclass knows its calls.

    Args:
        source: a path, or a whole video as bytes or as a binary stream (read into memory).
        backend: its name, for messages.
        codecs: FFmpeg's names of the codecs in which it is known to be right.
        same: whether two pictures `(H, W, 3)` are one; bit for bit by default.

    Raises:
        VideoDecodeError: the file cannot be opened, or the backend is wrong on it (see `check_agreement`).
    """

    def __init__(
        self,
        source: Source,
        backend: str,
        codecs: Collection[str],
        same: Callable[[Tensor, Tensor], bool] = torch.equal,
    ) -> None:
        self.path, self._source = load_source(source)
        self._backend = backend
        self._video: Any = None
        with library_errors(self.path, backend, _ADVICE):
            self.num_frames, self.fps, self.times = check_agreement(
                self._source, backend, codecs, self._count, self._read, same
            )

    @abstractmethod
    def _opened(self, source: str | bytes) -> Any:
        """The backend's video, whose `len` is the number of its frames."""

    @abstractmethod
    def _read(self, indices: Sequence[int]) -> Tensor:
        """Frames of `self._video` as uint8 `(T, H, W, 3)`."""

    def frames(self, indices: Sequence[int], keep: Keep | None = None) -> Tensor:
        """Frames as uint8 RGB `(T, H, W, 3)`, upright, in the order of `indices`, which may repeat; or what `keep`
        keeps of them.

        Raises:
            IndexError: an index is negative or not below `num_frames`.
            VideoDecodeError: the backend cannot decode them.
            ValueError: the reader is closed.
        """
        if self._video is None:
            raise Mistake(f"{self.path}: the reader is closed; open the video again")
        checked = check_indices(self.path, indices, self.num_frames)
        with library_errors(self.path, self._backend, _ADVICE):
            if keep is None:
                return self._read(checked)
            clip = FilledClip(self.path, checked, keep)
            wanted = sorted(clip.slots)
            for first in range(0, len(wanted), _AT_ONCE):
                few = wanted[first : first + _AT_ONCE]
                for index, image in zip(few, self._read(few), strict=True):
                    clip.put(index, image.numpy())
            return clip.tensor()

    def close(self) -> None:
        """Free the file and the decoder; closing again does nothing."""
        self._video = None

    def _count(self) -> int:
        self._video = self._opened(self._source)
        return len(self._video)
