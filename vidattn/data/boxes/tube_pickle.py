"""The pickles of tubes of UCF101-24 and JHMDB: `UCF101v2-GT.pkl`, `JHMDB-GT.pkl`.

Keys: `labels`, `gttubes` {video: {number of the class: [array (n, 5) of frame, x1, y1, x2, y2]}}, `resolution` {video:
(height, width)}, `nframes`. Frames count from 1; sides are pixels from 0, and the last ones belong to the box
(https://github.com/MCG-NJU/MOC-Detector, its `base_dataset.py`).
"""

from pathlib import Path
from typing import Any

import numpy as np

from vidattn.data.boxes.plain_pickle import read_plain_pickle
from vidattn.data.boxes.row import BoxListing, BoxRow
from vidattn.data.lists.row import ManifestError
from vidattn.mistakes import Mistake

_KEYS = ("labels", "gttubes", "resolution")


def read(source: Path) -> BoxListing:
    """A row for each box of each tube; each tube is a person.

    Raises:
        ManifestError: it is no pickle of plain values, or lacks a key.
    """
    found = read_plain_pickle(source)
    if not isinstance(found, dict) or (missing := [key for key in _KEYS if key not in found]):
        lack = f"lacks {', '.join(missing)}" if isinstance(found, dict) else f"is a {type(found).__name__}"
        raise ManifestError(f"{source} {lack}; expected a pickled dict with {', '.join(_KEYS)}, as JHMDB-GT.pkl")
    names = [str(name) for name in found["labels"]]
    rows: list[BoxRow] = []
    for video, of_class in found["gttubes"].items():
        try:
            rows += _of_video(str(video), of_class, found["resolution"][video], names)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise ManifestError(
                f"{source}: the tubes of {video} are not understood ({type(error).__name__}: {error}); expected "
                "{class: [array (n, 5) of frame, x1, y1, x2, y2]} and a resolution (height, width)"
            ) from error
    return BoxListing(rows, names, list(map(str, found["gttubes"])))


def _of_video(video: str, of_class: dict[int, Any], resolution: Any, names: list[str]) -> list[BoxRow]:
    height, width = (float(side) for side in resolution)
    rows, person = [], 0
    for label, tubes in of_class.items():
        for tube in tubes:
            numbers = np.asarray(tube, np.float64)
            if numbers.ndim != 2 or numbers.shape[1] != 5 or numbers[:, 0].min(initial=1) < 1:
                raise Mistake(f"an array of shape {numbers.shape}")
            for frame, x1, y1, x2, y2 in numbers.tolist():
                box = (x1, y1, x2 + 1, y2 + 1)
                where = f"{video}, tube {person}, frame {frame:g}"
                rows.append(
                    BoxRow(
                        where, video, box, names[int(label)], int(frame) - 1, size=(width, height), person=str(person)
                    )
                )
            person += 1
    return rows
