"""The self-made sets: what a still shows, what a motion is, and how the files come to lie in their folder."""

import csv
import json
from pathlib import Path

import av
import jsonargparse
import numpy as np
import pytest

from vidattn.data.made import videos as synthetic
from vidattn.data.made.scene import MOTIONS
from vidattn.data.made.videos import AppearanceSet, MotionSet, SyntheticSet
from vidattn.data.write_video import write_mp4


def decode(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def split(made: SyntheticSet, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Decoded videos `(N, T, H, W, 3)` in 0..1 and class numbers `(N,)` of one list."""
    folder = made.write(progress=False)
    rows = list(csv.reader((folder / f"{name}.csv").read_text().splitlines()))
    videos = np.stack([decode(folder / path) for path, _ in rows])
    return videos / 255, np.array([made.class_names.index(label) for _, label in rows])


def held_out_accuracy(features: list[np.ndarray], labels: list[np.ndarray]) -> float:
    """Top-1 on the second half of `features` of a ridge classifier fitted on the first half."""
    mean, std = features[0].mean(0), features[0].std(0) + 1e-6
    train, test = ((f - mean) / std for f in features)
    hot = np.eye(8)[labels[0]] - 1 / 8
    weights = np.linalg.solve(train.T @ train + 0.1 * len(train) * np.eye(train.shape[1]), train.T @ hot)
    return float(((test @ weights).argmax(1) == labels[1]).mean())


def look_features(frames: np.ndarray) -> np.ndarray:
    """Random ReLU features of stills `(N, H, W, 3)`, after averaging 4x4 pixels: they see place, colour and shape."""
    n, height, width, _ = frames.shape
    small = frames.reshape(n, height // 4, 4, width // 4, 4, 3).mean((2, 4)).reshape(n, -1) - 0.3
    rng = np.random.default_rng(0)
    return np.maximum(small @ rng.normal(size=(small.shape[1], 400)) + rng.normal(size=400), 0)


def flow_features(videos: np.ndarray) -> np.ndarray:
    """How well each frame matches the next one shifted by two pixels to each of four sides, `(N, 4)`."""
    grey = videos.mean(-1)
    grey = grey - grey.mean((2, 3), keepdims=True)
    now, later = grey[:, :-2], grey[:, 2:]
    shifts = [(2, 2), (-2, 2), (2, 3), (-2, 3)]  # (pixels, axis)
    energy = (now**2).mean((1, 2, 3))
    return np.stack([(np.roll(now, s, axis) * later).mean((1, 2, 3)) / energy for s, axis in shifts], -1)


Split = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> list[Split]:
    """Train and test split of a motion set."""
    made = MotionSet(str(tmp_path_factory.mktemp("sets") / "motion"), num_train=60, num_val=1, num_test=40)
    return [split(made, "train"), split(made, "test")]


@pytest.fixture(scope="module")
def appearance(tmp_path_factory: pytest.TempPathFactory) -> list[Split]:
    """Train and test split of an appearance set."""
    made = AppearanceSet(str(tmp_path_factory.mktemp("sets") / "appearance"), num_train=60, num_val=1, num_test=40)
    return [split(made, "train"), split(made, "test")]


# What a still shows.


def test_a_decoded_frame_does_not_depend_on_its_neighbours(tmp_path: Path):
    frames = MotionSet().draw(2, np.random.default_rng(0))
    write_mp4(tmp_path / "forth.mp4", frames, fps=8)
    write_mp4(tmp_path / "back.mp4", frames[::-1], fps=8)
    write_mp4(tmp_path / "alone.mp4", frames[3:4], fps=8)

    forth = decode(tmp_path / "forth.mp4")

    assert (forth == decode(tmp_path / "back.mp4")[::-1]).all()
    assert (forth[3] == decode(tmp_path / "alone.mp4")[0]).all()
    assert np.abs(forth.astype(int) - frames).mean() < 10


@pytest.mark.parametrize("frame", [0, 4, 7])
def test_single_frames_of_the_motion_set_do_not_tell_the_class(motion: list[Split], frame: int):
    accuracy = held_out_accuracy([look_features(v[:, frame]) for v, _ in motion], [y for _, y in motion])
    assert accuracy < 0.125 + 3.5 * (0.125 * 0.875 / 320) ** 0.5  # 320 test videos


def test_single_frames_of_the_appearance_set_tell_the_class(appearance: list[Split]):
    assert held_out_accuracy([look_features(v[:, 0]) for v, _ in appearance], [y for _, y in appearance]) > 0.35


def test_pairs_of_frames_of_the_motion_set_tell_the_class(motion: list[Split]):
    assert held_out_accuracy([flow_features(v) for v, _ in motion], [y for _, y in motion]) > 0.4


def test_flow_of_the_appearance_set_does_not_tell_the_class(appearance: list[Split]):
    accuracy = held_out_accuracy([flow_features(v) for v, _ in appearance], [y for _, y in appearance])
    assert accuracy < 1 / 6 + 3.5 * (1 / 6 * 5 / 6 / 240) ** 0.5  # 240 test videos


# How the files come to lie in their folder.


def test_lists_hold_every_video_once_with_the_counts_asked(tmp_path: Path):
    made = MotionSet(str(tmp_path / "set"), num_train=3, num_val=2, num_test=1, num_frames=5, size=16)
    folder = made.write(progress=False)
    listed = []
    for name, count in (("train", 3), ("val", 2), ("test", 1)):
        rows = list(csv.reader((folder / f"{name}.csv").read_text().splitlines()))
        assert sorted(label for _, label in rows) == sorted(made.class_names * count)
        assert all(Path(path).parent.name == label for path, label in rows)
        listed += [path for path, _ in rows]
    assert sorted(listed) == sorted(str(p.relative_to(folder)) for p in folder.rglob("*.mp4"))
    assert decode(folder / listed[0]).shape == (5, 16, 16, 3)


def test_the_same_arguments_give_the_same_pixels_and_another_seed_does_not(tmp_path: Path):
    small = {"num_train": 1, "num_val": 1, "num_test": 1, "size": 16}
    first, again, other = (
        split(AppearanceSet(str(tmp_path / folder), seed=seed, **small), "test")[0]
        for folder, seed in (("a", 7), ("b", 7), ("c", 8))
    )
    assert (first == again).all()
    assert not (first == other).all()


def test_brackets_in_the_folders_name_are_shown(tmp_path: Path, capsys):
    MotionSet(str(tmp_path / "set [v2]"), num_train=1, num_val=0, num_test=0, size=16).write()

    assert "Making set [v2] " in capsys.readouterr().out


def test_a_finished_set_is_reused_and_another_one_refused(tmp_path: Path):
    folder = str(tmp_path / "set")
    small = {"num_train": 1, "num_val": 0, "num_test": 0, "size": 16}
    made = MotionSet(folder, **small).write(progress=False)
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    assert MotionSet(folder, **small).write(progress=False) == made
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before

    with pytest.raises(FileExistsError, match=r"seed is 0, wanted 5; choose another folder or delete this one"):
        MotionSet(folder, seed=5, **small).write(progress=False)
    with pytest.raises(FileExistsError, match=r"kind is 'MotionSet', wanted 'AppearanceSet'"):
        AppearanceSet(folder, **small).write(progress=False)


def test_a_folder_that_is_no_set_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(FileExistsError, match=r"holds no set of ours \(no readable spec.json\)"):
        MotionSet(str(tmp_path)).write(progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_broken_off_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full_disk(path: Path, frames: np.ndarray, fps: float) -> None:
        if path.stem == "000001":
            raise OSError("no space left")
        write_mp4(path, frames, fps)

    monkeypatch.setattr(synthetic, "write_mp4", full_disk)
    with pytest.raises(OSError, match="no space left"):
        MotionSet(str(tmp_path / "set"), num_train=2, num_val=0, num_test=0, size=16).write(progress=False)
    assert list(tmp_path.iterdir()) == []


def test_the_slower_of_two_processes_takes_the_set_of_the_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    small = {"num_train": 1, "num_val": 0, "num_test": 0, "size": 16}
    slower, faster = (MotionSet(str(tmp_path / "set"), **small) for _ in range(2))
    write_all = slower._write_all

    def overtaken(folder: Path, progress: bool) -> None:
        write_all(folder, progress)
        faster.write(progress=False)

    monkeypatch.setattr(slower, "_write_all", overtaken)
    assert json.loads((slower.write(progress=False) / "spec.json").read_text()) == slower.spec
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"size": 33}, "size=33 is not an even number from 16 up; nearest is 34"),
        ({"num_frames": 1}, "num_frames=1 shows no motion"),
        ({"fps": 0.0}, r"fps=0\.0 is not positive"),
    ],
)
def test_bad_arguments_are_named(argument: dict, message: str):
    with pytest.raises(ValueError, match=message):
        MotionSet(**argument)


def test_the_command_line_can_build_a_set_and_explain_each_argument():
    parser = jsonargparse.ArgumentParser()
    parser.add_subclass_arguments(SyntheticSet, "make")
    config = parser.parse_object(
        {"make": {"class_path": f"{MotionSet.__module__}.MotionSet", "init_args": {"seed": 3}}}
    )
    assert parser.instantiate_classes(config).make.spec["seed"] == 3

    parser = jsonargparse.ArgumentParser()
    parser.add_class_arguments(MotionSet)
    assert "reused if it already holds this very set" in " ".join(parser.format_help().split())


@pytest.mark.parametrize("class_index", range(8))
def test_moving_tells_where_the_drifting_thing_is(class_index: int) -> None:
    """Its own colour is brighter there than elsewhere, and changes where it has ever been more than elsewhere."""
    made = MotionSet("never written", size=32)
    frames = made.draw(class_index, np.random.default_rng(5)) / 255
    there = made.moving(class_index, np.random.default_rng(5))
    colour = [2, 2, 0, 1][list(MOTIONS.values())[class_index][0]]
    assert frames[there][:, colour].mean() > frames[~there][:, colour].mean() + 0.15
    ever = there.any(0)
    assert frames[:, ever].std(0)[:, colour].mean() > 2 * frames[:, ~ever].std(0)[:, colour].mean()
