"""CVAT's "CVAT for video 1.1" XML: tracks of boxes.

A track's label is the action, unless its boxes have an attribute `action` (or `actions`, `activity`), whose value is:
several with `;` between. Frames count those of the source, from 0; boxes that are `outside` are not there.
"""

from pathlib import Path
from xml.etree import ElementTree

from vidattn.data.boxes.row import BoxListing, BoxRow
from vidattn.data.lists.row import ManifestError, bad_rows

_ACTION = ("action", "actions", "activity")
SIDES = ("xtl", "ytl", "xbr", "ybr")


def is_cvat(text: str) -> bool:
    """Whether a file may be such a one."""
    return text.lstrip()[:5] in ("<?xml", "<anno") and "<annotations" in text


def read(source: Path, text: str) -> BoxListing:
    """A row for each action of each box that is there.

    Raises:
        ManifestError: it is no such XML, or a box is not understood.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # entities may blow up memory
        raise ManifestError(f"{source} defines entities, which CVAT's files do not; export it again")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ManifestError(f"{source} is no XML ({error}); export it again as CVAT for video 1.1") from error
    size, name = root.find(".//meta//original_size"), _text(root, "source") or _text(root, "name")
    tracks = root.findall("track")
    if size is None or not name or root.find("image") is not None:
        lack = "images in place of tracks" if root.find("image") is not None else "no original_size or source"
        raise ManifestError(f"{source} has {lack}; export the task of the video as CVAT for video 1.1")
    picture = (float(_text(size, "width") or 0), float(_text(size, "height") or 0))
    rows, bad, others = [], [], 0
    for place, track in enumerate(tracks):
        others += sum(child.tag not in ("box", "attribute") for child in track)
        for box in track.findall("box"):
            where = f"track {track.get('id', place)}, frame {box.get('frame')}"
            try:
                if box.get("outside", "0") == "1":
                    continue
                x1, y1, x2, y2 = (float(box.attrib[side]) for side in SIDES)
                frame = int(box.attrib["frame"])
                label = track.attrib["label"]
            except (KeyError, ValueError):
                bad.append(f"{where}: {dict(box.attrib)}")
                continue
            said = [one.text or "" for one in box.findall("attribute") if one.get("name", "").casefold() in _ACTION]
            actions = [part.strip() for value in said for part in value.split(";") if part.strip()] or [label]
            rows += [
                BoxRow(where, name, (x1, y1, x2, y2), action, frame, size=picture, person=str(place))
                for action in dict.fromkeys(actions)
            ]
    if bad:
        raise bad_rows(source, bad, f"boxes with frame, {', '.join(SIDES)}, in tracks with a label")
    return BoxListing(rows, None, [name], {"of shapes that are no boxes": others} if others else {})


def _text(element: ElementTree.Element, name: str) -> str | None:
    found = element.find(f".//{name}")
    return found.text.strip() if found is not None and found.text else None
