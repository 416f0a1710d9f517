"""Frames of a video for a card: small JPEGs, decoded when somebody looks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from vidattn.classify.show.people import small_jpeg
from vidattn.classify.sources import One, open_source


class VideoPictures(Mapping[int, bytes]):
    """Some frames of a video as small JPEGs, by their numbers. The video is opened and decoded once more when the first
    of them is asked for; whoever asks for numbers alone need not wait.

    Args:
        source: a file, bytes, or frames as an array: what can be opened again.
        numbers: of the frames, ascending.
        fps: frames per second of an array.
    """

    def __init__(self, source: One, numbers: Sequence[int], fps: float = 30.0) -> None:
        self.source = source
        self.numbers = list(numbers)
        self.fps = fps
        self._drawn: dict[int, bytes] | None = None

    def __getitem__(self, number: int) -> bytes:
        """
        Raises:
            VideoDecodeError: the video cannot be read any more.
        """
        if self._drawn is None:
            with open_source(self.source, "pyav", self.fps) as reader:
                self._drawn = small_pictures(reader, self.numbers)
        return self._drawn[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


def small_pictures(reader: Any, numbers: Sequence[int]) -> dict[int, bytes]:
    """These frames of an open video as small JPEGs, decoded one at a time."""
    return {frame: small_jpeg(Image.fromarray(np.array(picture))) for frame, picture in reader.stream(numbers)}
