"""A video with the tubes that were found drawn on it, as a GIF or an MP4."""

import colorsys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

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


def draw_on(image: Image.Image, found: VideoDetections, frame: int) -> Image.Image:
    """The picture of a frame with its tubes drawn on it."""
    pen = ImageDraw.Draw(image)
    thick = max(1, round(image.height / 160))
    letters = ImageFont.load_default(max(8, image.height / 22))
    numbers = {id(tube): number for number, tube in enumerate(found.tubes)}
    for tube, box in found.on(frame):
        colour = color_of(numbers[id(tube)])
        x1, y1, x2, y2 = (float(side) * size for side, size in zip(box, image.size * 2, strict=True))
        pen.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=colour, width=thick)
        words = f"{found.class_names[tube.action]} {tube.score:.0%}"
        left, top, right, bottom = pen.textbbox((0, 0), words, font=letters)
        place = (min(max(x1, 0), max(0, image.width - (right - left))), max(0, y1 - (bottom - top) - 2 * thick))
        pen.rectangle((*place, place[0] + right - left, place[1] + bottom - top + thick), fill=colour)
        pen.text((place[0] - left, place[1] - top), words, fill="black", font=letters)
    return image


def color_of(number: int) -> tuple[int, int, int]:
    """A light colour; those of the first tubes lie far apart (each turns by the golden angle)."""
    red, green, blue = colorsys.hsv_to_rgb(number * 0.381966 % 1, 0.75, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)
