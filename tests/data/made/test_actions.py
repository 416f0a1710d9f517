import csv
from pathlib import Path

import av
import numpy as np
import pytest

from vidattn.data.boxes.any_box_list import read_boxes
from vidattn.data.made.actions import ActionsSet
from vidattn.data.made.shapes import ACTIONS
from vidattn.mistakes import Mistake


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = ActionsSet(
        str(tmp_path_factory.mktemp("sets") / "a"), num_train=3, num_val=2, num_test=1, num_frames=6, size=32
    )
    made.write(progress=False)
    return made


def test_the_folder_holds_videos_lists_and_the_boxes_of_all_of_them(made):
    folder = Path(made.folder)
    listed = [
        [path for (path,) in csv.reader((folder / f"{split}.csv").read_text().splitlines())][1:]
        for split in ("train", "val", "test")
    ]
    assert [len(paths) for paths in listed] == [3, 2, 1]
    paths = [path for each in listed for path in each]
    assert len(set(paths)) == 6
    for number, path in enumerate(paths):
        scene = made.scene(np.random.default_rng((0, number)))
        with av.open(str(folder / path)) as container:
            frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
        assert np.abs(frames.astype(int) - scene.frames).mean() < 12  # noise is lost in coding
        rows = [row for row in read_boxes(folder / "boxes.csv").rows if row.video == str(folder / path)]
        assert len(rows) == scene.present.sum()
        for row in rows:
            person = int(row.person)
            assert row.label == ACTIONS[scene.actions[person]]
            assert row.box == pytest.approx(scene.boxes[person, row.frame], abs=1e-4)


def test_the_same_arguments_give_the_same_frames_and_another_seed_others(made):
    assert made.scene(np.random.default_rng((0, 4))).frames.tobytes() == (
        made.scene(np.random.default_rng((0, 4))).frames.tobytes()
    )
    assert made.write(progress=False)  # it is there
    with pytest.raises(FileExistsError, match="seed is 0, wanted 1"):
        ActionsSet(made.folder, num_train=3, num_val=2, num_test=1, num_frames=6, size=32, seed=1).write()


def test_one_to_as_many_shapes_as_wanted_are_there_and_each_does_each_action():
    made = ActionsSet(most=3)
    drawn = [np.random.default_rng((0, number)) for number in range(300)]
    actions = [rng.integers(8, size=rng.integers(1, 4)) for rng in drawn]  # as `scene` draws first of all
    assert np.array_equal(made.scene(np.random.default_rng((0, 5))).actions, actions[5])
    assert np.bincount([len(one) for one in actions])[1:].min() > 80
    assert np.bincount(np.concatenate(actions), minlength=8).min() > 50
    assert made.draw(0, np.random.default_rng(0)).shape == (16, 64, 64, 3)
    with pytest.raises(Mistake, match="most=0"):
        ActionsSet(most=0)
