"""Tubes drawn on the picture of a frame."""

import colorsys
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from vidattn.classify.video_detections import VideoDetections


def draw_on(image: Image.Image, found: "VideoDetections", frame: int) -> Image.Image:
    """The picture of a frame with its tubes drawn on it: a name and a score for each, in the colour of the tube."""
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
