import pytest

from vidattn.data.boxes.any_box_list import read_boxes
from vidattn.data.lists.row import ManifestError

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<meta><task><id>1</id><name>my task</name><size>3</size>
<original_size><width>640</width><height>480</height></original_size></task><source>street.mp4</source></meta>
"""


def box(frame, outside=0, inner="", xtl="64.00"):
    return (
        f'<box frame="{frame}" xtl="{xtl}" ytl="48.00" xbr="128.00" ybr="480.00" outside="{outside}" occluded="0" '
        f'keyframe="1">{inner}</box>'
    )


def listed(folder, tracks):
    (folder / "cvat.xml").write_text(HEAD + tracks + "</annotations>")
    return read_boxes(folder / "cvat.xml")


def test_each_box_that_is_there_is_a_row_and_those_outside_are_none(tmp_path):
    listing = listed(
        tmp_path,
        f'<track id="0" label="jump">{box(0)}{box(1)}{box(2, outside=1)}</track>'
        f'<track id="1" label="run">{box(5)}</track>',
    )
    assert [(row.video, row.frame, row.label, row.person) for row in listing.rows] == [
        ("street.mp4", 0, "jump", "0"),
        ("street.mp4", 1, "jump", "0"),
        ("street.mp4", 5, "run", "1"),
    ]
    assert listing.rows[0].box == (64, 48, 128, 480)
    assert listing.rows[0].size == (640, 480)
    assert listing.videos == ["street.mp4"]


def test_an_attribute_called_action_says_what_a_person_does_in_that_frame(tmp_path):
    said = '<attribute name="Action">jump; wave</attribute><attribute name="colour">red</attribute>'
    rows = listed(tmp_path, f'<track id="0" label="person">{box(0, inner=said)}{box(1)}</track>').rows
    assert [(row.frame, row.label) for row in rows] == [(0, "jump"), (0, "wave"), (1, "person")]


def test_other_shapes_are_left_out_and_counted(tmp_path):
    listing = listed(tmp_path, f'<track id="0" label="jump">{box(0)}<points frame="1" points="1,2"/></track>')
    assert listing.left_out == {"of shapes that are no boxes": 1}


def test_what_is_no_such_export_is_said(tmp_path):
    with pytest.raises(ManifestError, match=r"1 bad row, expected boxes with frame, xtl.*\n  track 0, frame 0"):
        listed(tmp_path, f'<track id="0" label="jump">{box(0, xtl="left")}</track>')
    with pytest.raises(ManifestError, match="images in place of tracks"):
        listed(tmp_path, '<image id="0" name="a.png"/>')
    with pytest.raises(ManifestError, match="no XML"):
        listed(tmp_path, "<track>")
    (tmp_path / "cvat.xml").write_text(
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>'
    )
    with pytest.raises(ManifestError, match="defines entities"):
        read_boxes(tmp_path / "cvat.xml")
