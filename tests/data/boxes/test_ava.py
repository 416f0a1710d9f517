import pytest

from vidattn.data.boxes.any_box_list import read_boxes
from vidattn.data.boxes.ava import read_label_map
from vidattn.data.lists.row import ManifestError

ROWS = """-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,80,1
-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,9,1
-5KQ66BBWC4,0903,0.226,0.032,0.366,0.497,12,0
vid2,0905,0.5,0.1,0.6,0.9,12,4
vid2,0906,,,,,,
"""
MAP = """item {
  name: "dance"
  id: 9
}
item {
  name: "stand"
  id: 12
}
"""


@pytest.fixture
def ava(tmp_path):
    (tmp_path / "ava.csv").write_text(ROWS)
    (tmp_path / "map.pbtxt").write_text(MAP)
    (tmp_path / "excluded.csv").write_text("vid2,0905\nvid2,0906\n")
    return tmp_path


def test_rows_stand_at_seconds_of_a_film(ava):
    listing = read_boxes(ava / "ava.csv")
    assert [(row.video, row.second, row.label, row.person) for row in listing.rows][:2] == [
        ("-5KQ66BBWC4", 902, "80", "1"),
        ("-5KQ66BBWC4", 902, "9", "1"),
    ]
    assert listing.rows[0].box == (0.077, 0.151, 0.283, 0.811)
    assert read_boxes(ava / "ava.csv", starts_at=900).rows[0].second == 2


def test_classes_are_those_of_the_label_map_and_the_rest_is_left_out_and_counted(ava):
    listing = read_boxes(ava / "ava.csv", label_map=str(ava / "map.pbtxt"), excluded=str(ava / "excluded.csv"))
    assert listing.class_names == ["dance", "stand"]
    assert [row.label for row in listing.rows] == ["dance", "stand"]
    assert listing.left_out == {"of classes that the label map lacks": 1, "of excluded seconds": 1}


def test_both_forms_of_the_label_map_are_read(tmp_path):
    (tmp_path / "map").write_text('label {\n  name: "bend/bow (at the waist)"\n  label_id: 1\n  label_type: X\n}\n')
    assert read_label_map(tmp_path / "map") == {1: "bend/bow (at the waist)"}
    (tmp_path / "map").write_text("item { name: 3 }")
    with pytest.raises(ManifestError, match="lacks its name or number"):
        read_label_map(tmp_path / "map")
    (tmp_path / "map").write_text("dance")
    with pytest.raises(ManifestError, match="names no class"):
        read_label_map(tmp_path / "map")


@pytest.mark.parametrize("row", ["vid,0902,0.1,0.1,x,0.2,3,1", "vid,0902,0.1,0.1,0.2,0.2", "vid,0100,0,0,1,1,3,1"])
def test_a_bad_row_is_shown(ava, row):
    (ava / "ava.csv").write_text(ROWS + row)
    with pytest.raises(ManifestError, match=r"1 bad row, expected AVA's `video_id.*\n  line 6: 'vid"):
        read_boxes(ava / "ava.csv", starts_at=900)
    (ava / "excluded.csv").write_text("vid\n")
    with pytest.raises(ManifestError, match="`video_id,timestamp` for each second"):
        read_boxes(ava / "ava.csv", excluded=str(ava / "excluded.csv"))
