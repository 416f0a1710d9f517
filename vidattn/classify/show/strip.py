"""A film strip: small pictures of the very frames that the model saw."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from vidattn.data.clips.sampling import VideoTimes
from vidattn.plots.jpegs import jpeg, jpeg_uri

_SIDE = 128  # pixels
_MOST = 16  # pictures of a clip
_SPREAD = 12  # pictures of a whole video


@dataclass(frozen=True)
class Strip:
    """Up to 16 pictures of at most 128 pixels, kept as JPEG: some 50 kB where the clip takes a megabyte.

    Args:
        jpegs: one file's bytes for each picture, in order.
        seconds: when each is shown.
        num_frames: frames in the clip; more than pictures where it is long.
    """

    jpegs: list[bytes]
    seconds: list[float]
    num_frames: int

    @classmethod
    def of(cls, clip: Tensor, seconds: list[float]) -> "Strip":
        """The strip of a clip uint8 `(3, T, S, S)`; of a long one, frames spread evenly from first to last."""
        count = clip.shape[1]
        shown = torch.linspace(0, count - 1, min(count, _MOST)).round().long().tolist()
        frames = clip[:, shown].transpose(0, 1)
        if max(frames.shape[-2:]) > _SIDE:
            frames = v2.functional.resize(frames, [_SIDE - 1], max_size=_SIDE, antialias=True)
        jpegs = [jpeg(frame.permute(1, 2, 0).numpy()) for frame in frames]
        return cls(jpegs, [seconds[i] for i in shown], count)

    def pictures(self) -> np.ndarray:
        """uint8 RGB `(n, h, w, 3)`."""
        return np.stack([np.asarray(Image.open(io.BytesIO(kept))) for kept in self.jpegs])

    def data_uris(self) -> list[str]:
        """Each picture as a `data:` address that an HTML page can hold."""
        return [jpeg_uri(kept) for kept in self.jpegs]


class StripPicker:
    """Picks pictures spread evenly over a video, out of the clips that the model sees, while they go by.

    Args:
        times: when the frames of the video are shown.
        clips: the frames of each clip.
    """

    def __init__(self, times: VideoTimes, clips: Sequence[Sequence[int]]) -> None:
        frames = np.array(sorted({index for clip in clips for index in clip}))
        seconds = np.array([times.seconds(index) for index in frames])
        count = min(_SPREAD, len(frames))
        instants = (np.arange(count) + 0.5) / count * times.seconds(times.num_frames - 1)
        nearest = np.abs(seconds - instants[:, None]).argmin(axis=1)
        self._seconds: dict[int, float] = {}
        latest = -np.inf
        for frame, instant in zip(frames[nearest].tolist(), seconds[nearest].tolist(), strict=True):
            if instant - latest > 0.5 * times.seconds(times.num_frames - 1) / count:  # not twice nearly the same
                self._seconds[frame] = latest = instant
        self._pictures: dict[int, Tensor] = {}
        self._first: tuple[int, Tensor, float] | None = None  # for what is broken off before the first that is wanted
        self._times = times

    def watch(self, clips: Iterable[Sequence[int]], views: Iterable[Tensor]) -> Iterator[Tensor]:
        """`views` as they come, each uint8 `(C, 3, T, S, S)`; the middle crop of the wanted frames is kept."""
        for clip, crops in zip(clips, views, strict=True):
            if self._first is None:
                self._first = clip[0], crops[len(crops) // 2, :, 0].clone(), self._times.seconds(clip[0])
            for place, frame in enumerate(clip):
                if frame in self._seconds and frame not in self._pictures:
                    self._pictures[frame] = crops[len(crops) // 2, :, place].clone()
            yield crops

    def strip(self) -> Strip:
        """The strip of the clips that have gone by: one at least."""
        if not self._pictures:
            assert self._first is not None
            _, picture, seconds = self._first
            return Strip.of(picture[:, None], [seconds])
        frames = sorted(self._pictures)
        return Strip.of(torch.stack([self._pictures[f] for f in frames], dim=1), [self._seconds[f] for f in frames])
