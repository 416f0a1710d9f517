"""The part of `vidattn check` that is about boxes: a table, a report, and a picture of some frames."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.table import Table

from vidattn.console import plain_console
from vidattn.data.boxes.box_list import BoxList
from vidattn.data.boxes.section import Boxes
from vidattn.data.check.box_findings import EMPTY, NO_FRAME, OUTSIDE, OVER, TWICE, BoxFindings, box_findings
from vidattn.data.check.findings import Findings
from vidattn.data.clips.sampling import VideoTimes
from vidattn.data.lists.class_files import read_class_file
from vidattn.data.readers.opening import VideoOpener
from vidattn.data.videos.manifest import Video
from vidattn.plots import fonts
from vidattn.plots.boxed_frames import BoxedFrame, plot_boxed_frames
from vidattn.wording import counted

PICTURE = "boxes.png"
REPORT = "boxes.json"

ADVICE = {
    NO_FRAME: "frames count from 0; look at the numbers, or at how the file was cut",
    EMPTY: "they are left out; take them away",
    OUTSIDE: "they are left out; are these pixels of another size, or y before x?",
    OVER: "they are cut at the edge",
    TWICE: "the first counts; give each person a number of its own",
}
_DRAWN = 6


def check_boxes(section: Boxes, root: str | None, class_names: str | None, result: Findings, out: Path) -> None:
    """Show what is wrong with lists of boxes, and write `boxes.json` and `boxes.png`.

    Args:
        section: the lists, as training reads them.
        root: folder that their paths start from; each list's own folder by default.
        class_names: file of class names; those of the lists by default.
        result: what was found about the videos.
        out: folder to write to.

    Raises:
        ValueError: a list cannot be read, or it is about none of the videos.
    """
    names = read_class_file(Path(class_names)).names if class_names else None
    boxes = section.read(root, names, lambda said: None)
    for split in result.manifests:
        boxes.check_matches(split, result.clean(split) or result.manifests[split].videos)
    found = box_findings(boxes, result)
    (out / REPORT).write_text(json.dumps(asdict(found), indent=1) + "\n")
    frames = some_frames(boxes, result)
    fonts.save(plot_boxed_frames(frames), out / PICTURE, dpi=110)
    show(found, boxes)
    plain_console().print(f"{REPORT} and {PICTURE} (look at it: are the boxes where the people are?) are in {out}")


def show(found: BoxFindings, boxes: BoxList) -> None:
    """The table of problems, and how many boxes the classes have."""
    table = Table(title=f"{counted(found.rows, 'row')} of boxes in {boxes.source}", title_justify="left")
    for column in ("problem", "rows", "for example", "what to do"):
        table.add_column(column, overflow="fold")
    for problem, places in found.problems.items():
        table.add_row(problem, str(len(places)), _some(places, 1), ADVICE[problem])
    for reason, count in found.left_out.items():
        table.add_row(f"rows {reason}", str(count), "", "they are left out")
    for split, videos in found.without.items():
        table.add_row(f"videos without boxes in {split}", str(len(videos)), _some(videos, 1), "no one is in them, then")
    for split, names in found.empty_classes.items():
        table.add_row(f"classes without boxes in {split}", str(len(names)), _some(names), "not learnt or not tested")
    if found.unlisted:
        table.add_row("videos of no split", str(len(found.unlisted)), _some(found.unlisted, 1), "nothing: not used")
    console = plain_console()
    console.print(table if table.row_count else f"Nothing is odd about {counted(found.rows, 'row')} of boxes")
    for split, counts in found.of_class.items():
        most = sorted(counts.items(), key=lambda one: -one[1])
        shown = ", ".join(f"{name} {count}" for name, count in most[:8] if count)
        console.print(f"{split}: rows by class: {shown}{' ...' if len(most) > 8 else ''}")


def some_frames(boxes: BoxList, result: Findings) -> list[BoxedFrame]:
    """The frame with the most boxes of videos spread over those that have some."""
    videos = {video.path: video for split in result.manifests for video in result.clean(split)}
    boxed = [video for video in videos.values() if boxes.rows.get(boxes.key(video.path) or "")]
    chosen = [boxed[place * len(boxed) // min(_DRAWN, len(boxed))] for place in range(min(_DRAWN, len(boxed)))]
    frames = (_frame(boxes, video, result) for video in chosen)
    return [frame for frame in frames if frame is not None]


def _frame(boxes: BoxList, video: Video, result: Findings) -> BoxedFrame | None:
    probe = result.probes[video.path]
    facts = (VideoTimes(probe.num_frames, probe.fps or 1), (probe.width, probe.height))
    there = boxes.of_video(video, lambda _: facts)
    numbers, counts = np.unique(there.frames[there.frames < probe.num_frames], return_counts=True)
    if not len(numbers):
        return None
    fullest = numbers[counts == counts.max()]
    number = int(fullest[len(fullest) // 2])
    with VideoOpener(timeout=None)(video) as reader:
        picture = reader.frames([number])[0].numpy()
    rows = there.rows_of(number)
    labels = [", ".join(boxes.class_names[i] for i in np.flatnonzero(does)) for does in there.actions[rows]]
    return BoxedFrame(picture, f"{Path(video.path).name}, frame {number}", there.boxes[rows], labels)


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (" ..." if len(names) > most else "")
