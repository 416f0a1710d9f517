"""What is wrong with lists of boxes, row by row, beside the videos that they are about."""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vidattn.data.boxes.box_list import BoxList
from vidattn.data.boxes.row import BoxRow
from vidattn.data.check.findings import Findings
from vidattn.data.check.probe import Probe
from vidattn.data.clips.sampling import VideoTimes
from vidattn.data.lists.class_names import ClassNames
from vidattn.data.videos.manifest import Video

EMPTY = "empty boxes"
OUTSIDE = "boxes outside the picture"
OVER = "boxes that reach over its edge"
NO_FRAME = "boxes on frames that do not exist"
TWICE = "one person with two boxes in a frame"

_SLACK = 0.01  # of a side: rounding is no fault


@dataclass(frozen=True)
class BoxFindings:
    """What was found in the rows of all videos that a split has.

    Args:
        rows: how many there are; a box with two labels has two.
        problems: problem -> where, for each row that has it.
        of_class: class -> rows, by split.
        without: by split, the videos that have no box.
        unlisted: videos of the lists of boxes that no split has.
        left_out: rows that the reader left out on purpose, by the reason.
    """

    rows: int
    problems: Mapping[str, Sequence[str]]
    of_class: Mapping[str, Mapping[str, int]]
    without: Mapping[str, Sequence[str]]
    unlisted: Sequence[str]
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def empty_classes(self) -> dict[str, list[str]]:
        """By split, the classes that no row has; splits in which all have some are left out."""
        none = {split: [name for name, count in counts.items() if not count] for split, counts in self.of_class.items()}
        return {split: names for split, names in none.items() if names}


def box_findings(boxes: BoxList, result: Findings) -> BoxFindings:
    """Look at each row of the videos that can be used.

    Args:
        boxes: the lists.
        result: what was found in the videos: how many frames each has, and how large they are.
    """
    problems: dict[str, list[str]] = defaultdict(list)
    of_class: dict[str, dict[str, int]] = {}
    without: dict[str, list[str]] = {}
    known, seen, rows = ClassNames(boxes.class_names), set(), 0
    for split in result.manifests:
        counts: Counter[str] = Counter(dict.fromkeys(boxes.class_names, 0))
        for video in {video.path: video for video in result.clean(split)}.values():
            key = boxes.key(video.path)
            of_video = boxes.rows.get(key or "", [])
            if not of_video:
                without.setdefault(split, []).append(video.path)
            counts.update(boxes.class_names[known.find(row.label) or 0] for row in of_video)
            if key is not None and key not in seen:
                seen.add(key)
                rows += len(of_video)
                _look_at(of_video, video, result.probes[video.path], problems)
        of_class[split] = dict(counts)
    order = (NO_FRAME, EMPTY, OUTSIDE, OVER, TWICE)
    ordered = {problem: problems[problem] for problem in order if problem in problems}
    unlisted = sorted(boxes.rows.keys() - seen)
    return BoxFindings(rows, ordered, of_class, without, unlisted, boxes.left_out)


def _look_at(rows: Sequence[BoxRow], video: Video, probe: Probe, problems: dict[str, list[str]]) -> None:
    times = VideoTimes(probe.num_frames, probe.fps or 1)
    first: dict[tuple[int, str], tuple[float, ...]] = {}
    name = os.path.basename(video.path)
    for row in rows:
        where = f"{name}, {row.where}"
        if row.frame is None:
            late = (row.second or 0) > times.seconds(probe.num_frames - 1) + 1 / times.fps
            frame = times.nearest(row.second or 0)
        else:
            late, frame = row.frame >= probe.num_frames, row.frame
        if late:
            problems[NO_FRAME].append(f"{where} ({name} has {probe.num_frames} frames)")
        width, height = row.size or (probe.width, probe.height)
        x1, y1, x2, y2 = row.box[0] / width, row.box[1] / height, row.box[2] / width, row.box[3] / height
        if x2 <= x1 or y2 <= y1:
            problems[EMPTY].append(where)
        elif x2 <= 0 or y2 <= 0 or x1 >= 1 or y1 >= 1:
            problems[OUTSIDE].append(where)
        elif min(x1, y1) < -_SLACK or max(x2, y2) > 1 + _SLACK:
            problems[OVER].append(where)
        if row.person and first.setdefault((frame, row.person), row.box) != row.box:
            problems[TWICE].append(where)
