"""Who does what, where, on a page: drawn frames, a table of tubes, and when each goes."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image

from vidattn.classify.show.drawn import color_of, draw_on
from vidattn.classify.show.page import card, escaped
from vidattn.data.errors import VideoDecodeError
from vidattn.detection.tubes import Tube
from vidattn.plots.jpegs import jpeg, jpeg_uri

if TYPE_CHECKING:
    from vidattn.classify.video_detections import VideoDetections

PICTURES, ROWS = 8, 40
"""The most of a card."""

WIDEST, HIGH = 320, 200
"""Pixels: pictures are kept at most so wide, and small ones are enlarged to this height before anything is drawn."""


def detections_html(found: "VideoDetections") -> str:
    """A card: frames with boxes and names, and a row for each tube with a bar from its first second to its last.

    Args:
        found: in one video.
    """
    columns = f"grid-template-columns:repeat({min(4, max(1, len(found.pictures)))},minmax(0,{WIDEST}px))"
    grid = f"display:grid;{columns};gap:6px;margin-bottom:10px"
    notes = list(found.notes)
    try:
        pictures = "".join(_figure(found, frame) for frame in sorted(found.pictures))
    except VideoDecodeError as error:  # pictures are decoded now, and the file may be gone
        pictures = ""
        notes.append(f"without pictures: {error.reason}")
    if len(found.tubes) > ROWS:
        notes.append(f"{len(found.tubes) - ROWS} tubes that are less sure are left out here; they are in CSV and JSON")
    if not found.tubes:
        notes.insert(0, "nobody was found")
    return card(found.path, f'<div style="{grid}">{pictures}</div>{_table(found) if found.tubes else ""}', notes)


def telling_frames(tubes: Sequence[Tube], count: int, most: int = PICTURES) -> list[int]:
    """Frames that show as many tubes as can be, the surest first, and else are spread over the video; ascending.

    >>> import numpy as np
    >>> tube = Tube("a", 0, 0.9, np.arange(70, 75), np.zeros((5, 4)))
    >>> telling_frames([tube], count=100, most=4)
    [12, 37, 62, 72]

    Args:
        tubes: the surest first.
        count: of the video's frames.
        most: at most so many.
    """
    chosen: list[int] = []
    for tube in tubes:
        if len(chosen) < most and not any(frame in tube.frames for frame in chosen):
            chosen.append(int(tube.frames[len(tube.frames) // 2]))
    for place in range(min(most, count)):
        frame = int((place + 0.5) * count / min(most, count))
        if len(chosen) < most and all(abs(frame - other) >= count / (3 * most) for other in chosen):
            chosen.append(frame)
    return sorted(chosen)


def small_jpeg(picture: Image.Image) -> bytes:
    """The picture, 320 pixels wide or high at most."""
    small = picture.convert("RGB")
    small.thumbnail((WIDEST, WIDEST))
    return jpeg(small)


def _figure(found: "VideoDetections", frame: int) -> str:
    picture = Image.open(io.BytesIO(found.pictures[frame])).convert("RGB")
    if picture.height < HIGH:
        times = HIGH / picture.height
        picture = picture.resize((round(picture.width * times), HIGH), Image.Resampling.BICUBIC)
    uri = jpeg_uri(jpeg(draw_on(picture, found, frame)))
    when = f"{found.seconds[frame]:.2f} s"
    return (
        '<figure style="margin:0;text-align:center;font-size:11px">'
        f'<img src="{uri}" alt="frame {frame}" style="display:block;width:100%;'
        f'border-radius:3px"><figcaption style="opacity:.7">{when}, frame {frame}</figcaption></figure>'
    )


def _table(found: "VideoDetections") -> str:
    """A row for each tube; its bar lies where it goes in the video."""
    frame_time = found.seconds[-1] / max(len(found.seconds) - 1, 1) or 1.0
    whole = found.seconds[-1] + frame_time
    cell = "border:0;padding:2px 10px 2px 0;background:none;text-align:left;white-space:nowrap"
    number = f"{cell};text-align:right;font-variant-numeric:tabular-nums"
    ends = f'<div style="display:flex;justify-content:space-between"><span>0 s</span><span>{whole:.1f} s</span></div>'
    head = "".join(
        f'<th style="{style};font-weight:400;opacity:.7;font-size:11px">{name}</th>'
        for name, style in (("action", cell), ("score", number), ("from", number), ("to", number), ("boxes", number))
    )
    rows = []
    for row in found.summary()[:ROWS]:
        red, green, blue = color_of(row["tube"])
        colour = f"rgb({red},{green},{blue})"
        left, width = 100 * row["from"] / whole, 100 * (row["to"] - row["from"] + frame_time) / whole
        swatch = (
            f'<span style="display:inline-block;width:10px;height:10px;background:{colour};margin-right:6px"></span>'
        )
        place = f"left:{left:.2f}%;width:{max(width, 0.4):.2f}%"
        bar = (
            '<div style="position:relative;height:12px;background:#8882;border-radius:3px"><div style="'
            f'position:absolute;{place};height:12px;border-radius:3px;background:{colour}"></div></div>'
        )
        rows.append(
            f'<tr style="background:none"><td style="{cell}">{swatch}{escaped(row["action"])}</td>'
            f'<td style="{number}">{row["score"]:.0%}</td><td style="{number}">{row["from"]:.2f} s</td>'
            f'<td style="{number}">{row["to"]:.2f} s</td><td style="{number}">{row["boxes"]}</td>'
            f'<td style="border:0;padding:2px 0;background:none;width:100%">{bar}</td></tr>'
        )
    axis = f'<th style="border:0;padding:2px 0;background:none;font-weight:400;opacity:.7;font-size:11px">{ends}</th>'
    return (
        f'<table style="border-collapse:collapse;width:100%"><tr style="background:none">{head}{axis}</tr>'
        f"{''.join(rows)}</table>"
    )
