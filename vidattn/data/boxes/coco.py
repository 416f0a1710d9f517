"""COCO with tracks, as CocoVID (`frame_id`, `instance_id`), TAO (`frame_index`, `track_id`) and others write it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidattn.data.boxes.row import BoxListing, BoxRow
from vidattn.data.lists.row import ManifestError, bad_rows, parse_json

_FRAME = ("frame_id", "frame_index")
_TRACK = ("track_id", "instance_id")
_NEEDED = ("videos", "images", "annotations", "categories")


def read(source: Path, text: str) -> BoxListing:
    """A row for each annotation; its category is the action. Frames count from 0 or from 1, as each video's begin.

    Raises:
        ManifestError: a part is missing, frames or tracks are not numbered, or an annotation is not understood.
    """
    found = parse_json(source, text)
    if missing := [key for key in _NEEDED if not isinstance(found, dict) or key not in found]:
        raise ManifestError(f"{source} has no {', '.join(missing)}; expected COCO with tracks: {', '.join(_NEEDED)}")
    try:
        names = {one["id"]: str(one["name"]) for one in found["categories"]}
        videos = {one["id"]: str(one.get("name") or one["file_name"]) for one in found["videos"]}
        images = {one["id"]: one for one in found["images"]}
        frames = {number: int(_numbered(image, _FRAME)) for number, image in images.items()}
        first: dict[Any, int] = {}
        for number, image in images.items():
            first[image["video_id"]] = min(first.get(image["video_id"], 1), frames[number])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ManifestError(
            f"{source}: {type(error).__name__} {error}; expected an id and a name of each video and category, and "
            f"of each image id, video_id, width, height and one of {', '.join(_FRAME)}"
        ) from error
    rows, bad = [], []
    for place, one in enumerate(found["annotations"]):
        where = f"annotation {one.get('id', place) if isinstance(one, dict) else place}"
        try:
            image = images[one["image_id"]]
            left, top, width, height = map(float, one["bbox"])
            size = (float(image["width"]), float(image["height"]))
            frame = frames[one["image_id"]] - first[image["video_id"]]
            label, video, person = names[one["category_id"]], videos[image["video_id"]], str(_numbered(one, _TRACK))
        except (KeyError, TypeError, ValueError) as error:
            bad.append(f"{where}: {type(error).__name__} {error}")
            continue
        rows.append(
            BoxRow(where, video, (left, top, left + width, top + height), label, frame, size=size, person=person)
        )
    if bad:
        raise bad_rows(
            source, bad, f"image_id, category_id, bbox [x, y, width, height] and one of {', '.join(_TRACK)} in each"
        )
    return BoxListing(rows, [names[number] for number in sorted(names)], list(videos.values()))


def _numbered(one: Mapping[str, Any], words: tuple[str, ...]) -> int:
    return next(one[word] for word in words if word in one) if any(word in one for word in words) else one[words[0]]
