import pickle

import numpy as np
import pytest

from vidattn.data.boxes.any_box_list import read_boxes
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
