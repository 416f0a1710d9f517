"""A video with the tubes that were found drawn on it, as a GIF or an MP4."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vidattn.classify.show.drawn import draw_on
from vidattn.classify.sources import One, open_source
from vidattn.classify.video_detections import VideoDetections
from vidattn.data.write_video import write_mp4
from vidattn.mistakes import Mistake

MOST, WIDEST = 120, 320
"""Of a GIF, which is held in memory as a whole: pictures, and pixels across."""


def write_film(path: Path, source: One, found: VideoDetections, fps: float = 30.0) -> None:
    """Write the video with a frame, a name and a score for each box of a tube; each tube has a colour of its own.

    An MP4 has every frame of the video, and takes memory for one at a time. A GIF has 120 at most, evenly over the
    video, and is 320 pixels wide at most.

    Args:
        path: ends in `.gif` or `.mp4`.
        source: the video that `found` is of.
        found: what to draw.
        fps: frames per second of frames given as an array.

    Raises:
        Mistake: another ending.
        VideoDecodeError: the video cannot be read any more.
    """
    check_film(path)
    with open_source(source, "pyav", fps) as reader:
        if path.suffix == ".mp4":
            write_mp4(path, (np.asarray(one) for one in _drawn(reader, found, 1, None)), reader.fps)
            return
        step = -(-reader.num_frames // MOST)
        first, *others = _drawn(reader, found, step, WIDEST)
        milliseconds = max(20, round(1000 * step / reader.fps))
        first.save(path, save_all=True, append_images=others, duration=milliseconds, loop=0)


def check_film(path: Path) -> None:
    """
    Raises:
        Mistake: a film of this name cannot be written.
    """
    if path.suffix not in (".gif", ".mp4"):
        raise Mistake(f"{path}: wanted a name that ends in .gif or .mp4")


def _drawn(reader: Any, found: VideoDetections, step: int, widest: int | None) -> Iterator[Image.Image]:
    for frame, picture in reader.stream(range(0, reader.num_frames, step)):
        image = Image.fromarray(np.array(picture))
        if widest is not None and image.width > widest:
            image = image.resize((widest, max(1, round(image.height * widest / image.width))))
        image = image.crop((0, 0, image.width // 2 * 2, image.height // 2 * 2))  # 4:2:0 colour wants even sides
        yield draw_on(image, found, frame)
