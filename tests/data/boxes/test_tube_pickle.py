import pickle

import numpy as np
import pytest

from vidattn.data.boxes.any_box_list import read_boxes
from vidattn.data.boxes.plain_pickle import read_plain_pickle
from vidattn.data.lists.row import ManifestError

GROUND = {
    "labels": ["jump", "run"],
    "gttubes": {"run/a": {1: [np.array([[1, 0, 10, 31, 59], [2, 8, 10, 39, 59]], np.float32)]}, "jump/b": {}},
    "resolution": {"run/a": (60, 80), "jump/b": (60, 80)},
    "nframes": {"run/a": 2, "jump/b": 3},
    "train_videos": [["run/a"]],
    "test_videos": [["jump/b"]],
}


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_tubes_count_frames_from_one_and_their_last_pixel_belongs_to_them(tmp_path, protocol):
    (tmp_path / "gt.pkl").write_bytes(pickle.dumps(GROUND, protocol))
    listing = read_boxes(tmp_path / "gt.pkl")

    assert listing.class_names == ["jump", "run"]
    assert listing.videos == ["run/a", "jump/b"]
    assert [(row.video, row.frame, row.label, row.person) for row in listing.rows] == [
        ("run/a", 0, "run", "0"),
        ("run/a", 1, "run", "0"),
    ]
    assert listing.rows[0].box == (0, 10, 32, 60)
    assert listing.rows[0].size == (80, 60)


class Evil:
    def __reduce__(self):
        return (eval, ("__import__('pathlib').Path('run_by_pickle').touch()",))


def test_a_pickle_that_would_run_something_is_refused_and_does_not_run_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, evil in enumerate([Evil(), {"labels": [np.array([Evil()], object)]}, print, ManifestError]):
        file = tmp_path / f"{number}.pkl"
        file.write_bytes(pickle.dumps(evil))
        with pytest.raises(ManifestError, match=r"nothing in it was run"):
            read_plain_pickle(file)
    assert not (tmp_path / "run_by_pickle").exists()


def test_text_of_python_2_is_read(tmp_path):
    (tmp_path / "old.pkl").write_bytes(b"(dp0\nS'labels'\np1\n(lp2\nS'caf\\xe9'\np3\nas.")
    assert read_plain_pickle(tmp_path / "old.pkl") == {"labels": ["café"]}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([1], "is a list; expected a pickled dict"),
        ({"labels": []}, "lacks gttubes, resolution"),
        (GROUND | {"gttubes": {"run/a": {1: [np.ones((2, 4))]}}}, r"tubes of run/a are not understood .*\(2, 4\)"),
        (GROUND | {"gttubes": {"run/a": {5: [np.ones((2, 5))]}}}, "tubes of run/a are not understood"),
        (GROUND | {"resolution": {}}, "tubes of run/a are not understood"),
    ],
)
def test_another_shape_is_said(tmp_path, found, said):
    (tmp_path / "gt.pkl").write_bytes(pickle.dumps(found))
    with pytest.raises(ManifestError, match=said):
        read_boxes(tmp_path / "gt.pkl")
    (tmp_path / "gt.pkl").write_bytes(b"cut off")
    with pytest.raises(ManifestError, match="no pickle"):
        read_boxes(tmp_path / "gt.pkl")
