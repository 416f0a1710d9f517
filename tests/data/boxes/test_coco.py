import json

import pytest

from vidattn.data.boxes.any_box_list import read_boxes
from vidattn.data.lists.row import ManifestError


def coco(frame="frame_id", track="instance_id", first=0):
    return {
        "videos": [{"id": 1, "name": "street"}, {"id": 2, "name": "empty"}],
        "categories": [{"id": 3, "name": "run"}, {"id": 1, "name": "jump"}],
        "images": [
            {"id": 10 + number, "width": 640, "height": 480, "video_id": 1, frame: first + number}
            for number in range(3)
        ],
        "annotations": [
            {"id": 7, "image_id": 12, "category_id": 3, "bbox": [64, 48, 64, 432], track: 5, "video_id": 1},
        ],
    }  # fmt: skip


@pytest.mark.parametrize("frame", ["frame_id", "frame_index"])
@pytest.mark.parametrize("track", ["track_id", "instance_id"])
@pytest.mark.parametrize("first", [0, 1])
def test_every_dialect_says_the_same(tmp_path, frame, track, first):
    (tmp_path / "coco.json").write_text(json.dumps(coco(frame, track, first)))
    listing = read_boxes(tmp_path / "coco.json")
    (row,) = listing.rows

    assert (row.video, row.frame, row.label, row.person) == ("street", 2, "run", "5")
    assert (row.box, row.size) == ((64, 48, 128, 480), (640, 480))
    assert listing.class_names == ["jump", "run"]
    assert listing.videos == ["street", "empty"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"videos": None}, "TypeError"),
        ({"images": [{"id": 1, "video_id": 1}]}, "frame_id"),
        ({"annotations": [{"image_id": 12, "category_id": 3, "bbox": [0] * 4}]}, "annotation 0: KeyError 'track_id'"),
        ({"annotations": [{"id": 7, "image_id": 99}]}, "annotation 7: KeyError 99"),
        ({"annotations": [{"image_id": 12, "bbox": [0, 0, 1]}]}, "annotation 0: ValueError"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(tmp_path, change, said):
    (tmp_path / "coco.json").write_text(json.dumps(coco() | change))
    with pytest.raises(ManifestError, match=said):
        read_boxes(tmp_path / "coco.json")


def test_other_json_is_no_list_of_boxes(tmp_path):
    (tmp_path / "other.json").write_text('{"images": []}')
    with pytest.raises(ManifestError, match="has no videos, annotations, categories"):
        read_boxes(tmp_path / "other.json")
