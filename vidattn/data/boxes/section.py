"""The section `boxes` of a run's data: who is where in the videos."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidattn.data.boxes.any_box_list import read_boxes
from vidattn.data.boxes.box_list import BoxList
from vidattn.mistakes import Mistake


@dataclass(frozen=True)
class Boxes:
    """Lists of boxes, which name the videos of the lists under `data.lists` by their paths.

    Args:
        file: the list of boxes, or several, that `vidattn.data.boxes.any_box_list.read_boxes` reads; none by default.
        key_frames: the lists know the people of those frames alone that they name, as AVA's do: each is an item of its
            own, the middle of its clip (`sampling: vidattn.data.KeyFrameSampling`). Else they know every frame of a
            video, and where they name no one, there is no one.
        label_map: of AVA's lists, names and numbers of the classes that count; the others are left out.
        excluded: of AVA's lists, the seconds that do not count.
        starts_at: second of AVA's lists at which the files begin: 900 for films that are cut to the annotated part.
        least: share of a box that must be left in the picture after the transforms; else it is dropped, and counted.

    Raises:
        ValueError: `least` is no share.
    """

    file: str | list[str] | None = None
    key_frames: bool = False
    label_map: str | None = None
    excluded: str | None = None
    starts_at: float = 0.0
    least: float = 0.25

    def __post_init__(self) -> None:
        if not 0 <= self.least < 1:
            raise Mistake(f"data.boxes.least={self.least}; expected a share of a box's area, at least 0 and below 1")

    def read(
        self,
        root: str | None = None,
        class_names: Sequence[str] | None = None,
        warn: Callable[[str], object] = warnings.warn,
    ) -> BoxList:
        """All rows.

        Args:
            root: folder that paths start from; each list's own folder by default.
            class_names: in the order of their numbers; those of the lists by default.
            warn: takes what is to be said of rows that are left out.

        Raises:
            ManifestError: a list cannot be used.
        """
        files = [self.file] if isinstance(self.file, str) else self.file or []
        base = Path(root).expanduser() if root else None
        listings = [
            read_boxes(Path(file).expanduser(), base, self.label_map, self.excluded, self.starts_at) for file in files
        ]
        found = BoxList.of(", ".join(files), listings, class_names)
        for reason, count in found.left_out.items():
            warn(f"{found.source}: {count} rows are left out, {reason}")
        return found
