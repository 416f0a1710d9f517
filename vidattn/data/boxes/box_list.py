"""All boxes of a dataset, found by the path of their video."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vidattn.data.boxes.row import BoxListing, BoxRow
from vidattn.data.boxes.video_boxes import VideoBoxes, merged
from vidattn.data.clips.sampling import VideoTimes
from vidattn.data.lists.cells import one_kind
from vidattn.data.lists.class_names import ClassNames, is_number
from vidattn.data.lists.row import bad_rows
from vidattn.data.videos.identity import absolute
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake
from vidattn.wording import counted

Facts = Callable[[Video], tuple[VideoTimes, tuple[int, int]]]
"""When the frames of a video are shown, and its width and height: for lists that count seconds or pixels."""


@dataclass(frozen=True)
class BoxList:
    """The rows of one or several lists.

    Args:
        source: the files, for messages.
        class_names: in the order of their numbers.
        rows: by video, as `BoxRow.video` names it.
        left_out: how many rows were left out on purpose, by the reason.
    """

    source: str
    class_names: list[str]
    rows: dict[str, list[BoxRow]]
    left_out: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str, listings: Sequence[BoxListing], class_names: Sequence[str] | None = None) -> "BoxList":
        """Lists put together.

        Args:
            class_names: in the order of their numbers; those of the lists by default, else the sorted labels.

        Raises:
            ManifestError: a label is none of the names, or some are numbers and others names.
        """
        rows = [row for listing in listings for row in listing.rows]
        told = next((listing.class_names for listing in listings if listing.class_names is not None), None)
        names = list(class_names if class_names is not None else told if told is not None else _names(source, rows))
        known = ClassNames(names)
        found = {label: known.find(label) for label in {row.label for row in rows}}
        if unknown := [label for label, place in found.items() if place is None]:
            raise bad_rows(
                Path(source),
                [row.where for row in rows if found[row.label] is None],
                f"one of {counted(len(names), 'class', 'classes')} as label; {known.hint(min(unknown))}",
            )
        by_video: dict[str, list[BoxRow]] = {video: [] for listing in listings for video in listing.videos}
        for row in rows:
            by_video.setdefault(row.video, []).append(row)
        left_out: dict[str, int] = defaultdict(int)
        for listing in listings:
            for reason, count in listing.left_out.items():
                left_out[reason] += count
        return cls(source, names, by_video, dict(left_out))

    def key(self, path: str) -> str | None:
        """What the lists call a video; None where they do not have it."""
        whole = absolute(path)
        if whole in self.rows:
            return whole
        parts = Path(whole).parts
        for length in range(min(4, len(parts)), 0, -1):
            tail = "/".join(parts[-length:])
            for name in (tail, os.path.splitext(tail)[0]):
                if name in self.rows:
                    return name
        return None

    def of_video(self, video: Video, facts: Facts) -> VideoBoxes:
        """The boxes of a video; none where the lists do not have it."""
        key = self.key(video.path)
        rows = self.rows[key] if key is not None else []
        if not rows:
            return VideoBoxes.none(len(self.class_names))
        known = ClassNames(self.class_names)
        places = {label: known.find(label) or 0 for label in {row.label for row in rows}}
        labels = [places[row.label] for row in rows]
        sizes: list[tuple[float, float]] = [row.size or (0, 0) for row in rows]
        frames = [row.frame if row.frame is not None else -1 for row in rows]
        if any(row.size is None or row.frame is None for row in rows):
            times, size = facts(video)
            sizes = [row.size or size for row in rows]
            instants = {row.second: times.nearest(row.second) for row in rows if row.second is not None}
            frames = [row.frame if row.second is None else instants[row.second] for row in rows]  # type: ignore[misc]
        boxes = np.array([row.box for row in rows], np.float64) / np.tile(np.array(sizes, np.float64), 2)
        return merged(frames, boxes, labels, [row.person for row in rows], len(self.class_names))

    def check_matches(self, name: str, videos: Iterable[Video]) -> str:
        """What to say where some videos have no box in the list; empty where all have one.

        Args:
            name: of the split, for messages.

        Raises:
            Mistake: none of them is in the list.
        """
        paths = [video.path for video in videos]
        without = [path for path in paths if not self.rows.get(self.key(path) or "")]
        if not without:
            return ""
        if not any(self.key(path) for path in paths):
            raise Mistake(
                f"{self.source}: none of {counted(len(paths), 'video')} of {name} is in it; it has boxes for "
                f"{min(self.rows, default='none')}, and the videos are called {absolute(paths[0])}; the paths of both "
                "lists must lead to the same files (paths start from each list's own folder, or from data.root)"
            )
        return (
            f"{self.source}: {len(without)} of {counted(len(paths), 'video')} of {name} have no box: {without[0]} ..."
        )


def _names(source: str, rows: Sequence[BoxRow]) -> list[str]:
    """The sorted labels, or the numbers up to the largest."""
    labels = {row.label for row in rows}
    if one_kind(Path(source), [(row.where, (row.label,)) for row in rows]):
        return [str(number) for number in range(max(int(label) for label in labels if is_number(label)) + 1)]
    return sorted(labels)
