"""A set to learn detection from: several shapes move at once, each does something of its own."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.progress import track

from vidattn.data.made.scene import Frames
from vidattn.data.made.shapes import ACTIONS, Scene, random_scene
from vidattn.data.made.videos import SyntheticSet
from vidattn.data.write_video import write_mp4
from vidattn.mistakes import Mistake

BOXES = "boxes.csv"


class ActionsSet(SyntheticSet):
    """Eight actions of shapes, one to three of them at once: they move, grow, shrink and turn, and may leave.

    `folder` holds `videos/<number>.mp4`, the lists `train.csv`, `val.csv` and `test.csv` of their paths, `boxes.csv`
    with rows `path,frame,x1,y1,x2,y2,label,person` for all of them, and `spec.json` with the arguments. What a shape
    does shows in its motion alone; `turn_right` is clockwise on the screen.

    Args:
        folder: where the set goes; `outputs/data/actions` by default.
        num_train: videos in `train.csv`; 1000 by default.
        num_val: videos in `val.csv`.
        num_test: videos in `test.csv`.
        num_frames: frames per video.
        size: height and width in pixels; even, because of 4:2:0 colour.
        fps: frames per second.
        most: shapes at once; each number from 1 is as likely.
        seed: another seed gives another set of the same kind.

    Raises:
        ValueError: an argument is out of range.
    """

    default_folder = "outputs/data/actions"
    default_num_train = 1000

    def __init__(
        self,
        folder: str | None = None,
        num_train: int | None = None,
        num_val: int = 100,
        num_test: int = 200,
        num_frames: int = 16,
        size: int = 64,
        fps: float = 8.0,
        most: int = 3,
        seed: int = 0,
    ) -> None:
        super().__init__(folder, num_train, num_val, num_test, num_frames, size, fps, seed)
        if most < 1:
            raise Mistake(f"most={most} shapes at once; wanted at least 1")
        self.most = most

    @property
    def boxes(self) -> str:
        """The list of boxes of all videos."""
        return str(Path(self.folder) / BOXES)

    @property
    def class_names(self) -> list[str]:
        """What a shape can do."""
        return list(ACTIONS)

    def scene(self, rng: np.random.Generator) -> Scene:
        """One video, and where its shapes are."""
        actions = rng.integers(len(ACTIONS), size=rng.integers(1, self.most + 1))
        return random_scene(actions, self.num_frames, self.size, rng)

    def draw(self, class_index: int, rng: np.random.Generator) -> Frames:
        """One video `(num_frames, size, size, 3)` of a single shape with this action."""
        return random_scene(np.array([class_index]), self.num_frames, self.size, rng).frames

    def _write_all(self, folder: Path, progress: bool) -> None:
        """Write every video, the lists, the boxes and the spec into `folder`."""
        counts = {"train": self.num_train, "val": self.num_val, "test": self.num_test}
        (folder / "videos").mkdir(parents=True)
        names = [f"videos/{number:06d}.mp4" for number in range(sum(counts.values()))]

        def one(number: int) -> list[list[str | int]]:
            scene = self.scene(np.random.default_rng((self.seed, number)))
            write_mp4(folder / names[number], scene.frames, self.fps)
            return rows(names[number], scene)

        with ThreadPoolExecutor(max_workers=2) as pool, open(folder / BOXES, "w", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["path", "frame", "x1", "y1", "x2", "y2", "label", "person"])
            done = pool.map(one, range(len(names)))  # numpy and x264 both let go of the interpreter lock
            told = f"Making {escape(folder.name)}"
            for found in track(done, description=told, total=len(names), disable=not progress):
                table.writerows(found)
        first = 0
        for split, count in counts.items():
            lines = [f"{name}\n" for name in ["path", *names[first : first + count]]]
            (folder / f"{split}.csv").write_text("".join(lines))
            first += count
        (folder / "spec.json").write_text(json.dumps(self.spec, indent=2) + "\n")


def rows(name: str, scene: Scene) -> list[list[str | int]]:
    """A row of the list of boxes for each shape in each frame that shows it, frame by frame."""
    return [
        [name, frame, *(f"{side:.4f}" for side in scene.boxes[person, frame]), ACTIONS[action], person]
        for frame in range(len(scene.frames))
        for person, action in enumerate(scene.actions)
        if scene.present[person, frame]
    ]
