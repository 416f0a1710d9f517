"""Small video sets made on the spot, so that training can be tried and tested without a download."""

import csv
import inspect
import json
import tempfile
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from rich.markup import escape
from rich.progress import track

from vidattn.data.made.scene import MOTIONS, Frames, paint, random_motion, render
from vidattn.data.write_video import write_mp4
from vidattn.mistakes import Mistake
from vidattn.writable import check_place

FORMAT_VERSION = 1  # raise it whenever the same arguments would give other frames
COLOURS = ("red", "green", "blue")


class SyntheticSet(ABC):
    """A seeded set of short H.264 videos in Kinetics layout.

    `folder` holds `<class name>/<number>.mp4`, the lists `train.csv`, `val.csv` and `test.csv` with rows
    `<class name>/<number>.mp4,<class name>`, and `spec.json` with the arguments. The same arguments give the same
    frames.

    Args:
        folder: where the set goes; made if missing, reused if it already holds this very set; below
            `outputs/data` by default.
        num_train: videos per class in `train.csv`; 1000 of motion, 300 of appearance by default.
        num_val: videos per class in `val.csv`.
        num_test: videos per class in `test.csv`.
        num_frames: frames per video; in motion, the drift covers 0.7 of a period in them.
        size: height and width in pixels; even, because of 4:2:0 colour.
        fps: frames per second.
        seed: another seed gives another set of the same kind.

    Raises:
        ValueError: an argument is out of range.
    """

    default_folder: ClassVar[str]
    default_num_train: ClassVar[int]

    def __init__(
        self,
        folder: str | None = None,
        num_train: int | None = None,
        num_val: int = 10,
        num_test: int = 40,
        num_frames: int = 8,
        size: int = 32,
        fps: float = 8.0,
        seed: int = 0,
    ) -> None:
        if size < 16 or size % 2:
            raise Mistake(f"size={size} is not an even number from 16 up; nearest is {max(16, size + size % 2)}")
        if num_frames < 2:
            raise Mistake(f"num_frames={num_frames} shows no motion; give 2 or more")
        if fps <= 0:
            raise Mistake(f"fps={fps} is not positive; give frames per second, for example 8")
        self.folder = self.default_folder if folder is None else folder
        self.num_train = self.default_num_train if num_train is None else num_train
        self.num_val = num_val
        self.num_test = num_test
        self.num_frames = num_frames
        self.size = size
        self.fps = fps
        self.seed = seed

    @property
    def boxes(self) -> str | None:
        """The list of boxes that is written with the videos; None where there is none."""
        return None

    @property
    @abstractmethod
    def class_names(self) -> list[str]:
        """Names of the classes; the place in the list is the class number that `draw` takes."""

    @abstractmethod
    def draw(self, class_index: int, rng: np.random.Generator) -> Frames:
        """One video `(num_frames, size, size, 3)` of the class."""

    @property
    def spec(self) -> dict[str, object]:
        """What makes the videos what they are: kind, format version and every argument but the folder."""
        names = [name for name in inspect.signature(type(self)).parameters if name != "folder"]
        return {"kind": type(self).__name__, "format": FORMAT_VERSION} | {name: getattr(self, name) for name in names}

    def write(self, progress: bool = True) -> Path:
        """Make the set unless `folder` already holds it; return the folder.

        It is written beside `folder` and renamed when complete, so a broken-off run leaves no half set, and of
        several processes that start at once the first one wins.

        Raises:
            FileExistsError: `folder` holds another set, or something that is no set.
        """
        folder = Path(self.folder)
        if folder.exists():
            self._check_same(folder)
            return folder
        check_place(folder, folder=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            fresh = Path(scratch) / folder.name
            self._write_all(fresh, progress)
            try:
                fresh.rename(folder)
            except OSError:  # another process has been faster
                self._check_same(folder)
        return folder

    def _check_same(self, folder: Path) -> None:
        """Raise unless `folder` holds the set that these arguments describe."""
        next_move = "choose another folder or delete this one"
        try:
            found = json.loads((folder / "spec.json").read_text())
        except (OSError, ValueError) as error:
            raise FileExistsError(
                f"{folder} exists but holds no set of ours (no readable spec.json); {next_move}"
            ) from error
        wanted = self.spec
        differences = [
            f"{name} is {found.get(name)!r}, wanted {wanted.get(name)!r}"
            for name in wanted | found
            if found.get(name) != wanted.get(name)
        ]
        if differences:
            raise FileExistsError(f"{folder} holds another set: {'; '.join(differences)}; {next_move}")

    def _write_all(self, folder: Path, progress: bool) -> None:
        """Write every video, the three lists and the spec into `folder`."""
        counts = {"train": self.num_train, "val": self.num_val, "test": self.num_test}
        jobs: list[tuple[Path, int, int]] = []
        for class_index, name in enumerate(self.class_names):
            (folder / name).mkdir(parents=True)
            jobs += [
                (folder / name / f"{number:06d}.mp4", class_index, number) for number in range(sum(counts.values()))
            ]

        with ThreadPoolExecutor(max_workers=2) as pool:  # numpy and x264 both let go of the interpreter lock
            done = pool.map(self._write_one, *zip(*jobs, strict=True))
            for _ in track(done, description=f"Making {escape(folder.name)}", total=len(jobs), disable=not progress):
                pass

        first = 0
        for split, count in counts.items():
            with open(folder / f"{split}.csv", "w", newline="") as file:
                rows = csv.writer(file, lineterminator="\n")
                for name in self.class_names:
                    rows.writerows((f"{name}/{number:06d}.mp4", name) for number in range(first, first + count))
            first += count
        (folder / "spec.json").write_text(json.dumps(self.spec, indent=2) + "\n")

    def _write_one(self, path: Path, class_index: int, number: int) -> None:
        rng = np.random.default_rng((self.seed, class_index, number))
        write_mp4(path, self.draw(class_index, rng), self.fps)


class MotionSet(SyntheticSet):
    """Eight classes that differ only in motion: one of the four phases drifts, the three others rest.

    `turn_right` is clockwise on the screen. All phases are periodic with a uniform start, so a single frame of any
    class, whichever frame, says nothing about the class. Played backwards, a video is a valid video of the opposite
    class, so no unordered bag of frames can tell the two directions of a motion apart.
    """

    default_folder = "outputs/data/motion"
    default_num_train = 1000

    @property
    def class_names(self) -> list[str]:
        """Two directions for each of the four phases, in the order of the phases."""
        return list(MOTIONS)

    def draw(self, class_index: int, rng: np.random.Generator) -> Frames:
        """One video of the motion: a blue spot, a red ring, a green hand (H.264 keeps fine detail best in green)."""
        return paint(render(random_motion(class_index, self.num_frames, rng), self.size), (2, 0, 1), rng)

    def moving(self, class_index: int, rng: np.random.Generator) -> NDArray[np.bool_]:
        """`(num_frames, size, size)`: where the thing that moves is, in what `draw` gives for an equal `rng`."""
        thing = max(0, list(MOTIONS.values())[class_index][0] - 1)  # x and y are both the spot's
        return render(random_motion(class_index, self.num_frames, rng), self.size)[..., thing] > 0.1


class AppearanceSet(SyntheticSet):
    """Six classes that differ only in appearance: which of spot, ring and hand is red, green and blue.

    Motion is one of `MotionSet`'s eight, at random, and says nothing about the class.
    """

    default_folder = "outputs/data/appearance"
    default_num_train = 300

    @property
    def class_names(self) -> list[str]:
        """Colours of spot, ring and hand, such as `red_spot_green_ring_blue_hand`."""
        return [f"{spot}_spot_{ring}_ring_{hand}_hand" for spot, ring, hand in permutations(COLOURS)]

    def draw(self, class_index: int, rng: np.random.Generator) -> Frames:
        """One video in these colours, with a random motion."""
        channels = list(permutations(range(3)))[class_index]
        scene = render(random_motion(int(rng.integers(len(MOTIONS))), self.num_frames, rng), self.size)
        return paint(scene, (channels[0], channels[1], channels[2]), rng)
