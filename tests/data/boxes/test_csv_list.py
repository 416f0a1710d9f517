import pytest

from vidattn.data.boxes import csv_list
from vidattn.data.boxes.any_box_list import read_boxes
from vidattn.data.boxes.row import BoxRow
from vidattn.data.lists.row import ManifestError

HEADER = "path,frame,x1,y1,x2,y2,label\n"


def listed(folder, text):
    (folder / "boxes.csv").write_text(text)
    return read_boxes(folder / "boxes.csv").rows


def test_a_row_is_a_box_in_fractions_with_a_path_from_the_lists_folder(tmp_path):
    rows = listed(tmp_path, HEADER + "a/b.mp4,3,0.1,0.2,0.5,1.0,jump\n")

    assert rows == [
        BoxRow(
            "line 2: 'a/b.mp4,3,0.1,0.2,0.5,1.0,jump'", str(tmp_path / "a/b.mp4"), (0.1, 0.2, 0.5, 1.0), "jump", frame=3
        )
    ]


def test_one_number_above_one_and_a_half_or_a_header_that_says_so_makes_all_of_them_pixels(tmp_path):
    by_value = listed(tmp_path, HEADER + "a.mp4,0,0,0,1,1,jump\na.mp4,1,0,0,2,1,jump\n")
    by_name = listed(tmp_path, "path,frame,x1_px,y1_px,x2_px,y2_px,label\na.mp4,0,0,0,1,1,jump\n")
    fractions = listed(tmp_path, HEADER + "a.mp4,0,-0.2,0,1.3,1,jump\n")

    assert [row.size for row in [*by_value, *by_name, *fractions]] == [None, None, None, (1, 1)]


def test_seconds_stand_in_place_of_frames_and_persons_are_kept(tmp_path):
    row = listed(tmp_path, "video,second,x1,y1,x2,y2,class,track_id\na.mp4,1.5,0,0,1,1,jump,7\n")[0]

    assert (row.frame, row.second, row.person) == (None, 1.5, "7")


@pytest.mark.parametrize(
    "row",
    [
        "a.mp4,0,0,0,1,1,",
        ",0,0,0,1,1,jump",
        "a.mp4,0.5,0,0,1,1,jump",
        "a.mp4,-1,0,0,1,1,jump",
        "a.mp4,0,nan,0,1,1,jump",
        "a.mp4,0,0,0,one,1,jump",
        "a.mp4,0,0,0,1",
        "a.mp4,0,0,0,1,1,jump,7",
    ],
)
def test_a_bad_row_is_shown_with_its_line_and_what_was_wanted(tmp_path, row):
    with pytest.raises(ManifestError, match=r"boxes.csv: 1 bad row, expected `path,frame,x1.*\n  line 3: "):
        listed(tmp_path, HEADER + f"a.mp4,0,0,0,1,1,jump\n{row}\n")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("path,frame,x1,y1,x2,y2", "no column label"),
        ("path,x1,y1,x2,y2,label", "one of the columns frame and second"),
        ("path,frame,second,x1,y1,x2,y2,label", "one of the columns frame and second"),
    ],
)
def test_a_missing_column_is_named(tmp_path, header, said):
    with pytest.raises(ManifestError, match=said):
        listed(tmp_path, header + "\n")


def test_what_is_no_list_of_boxes_is_said_with_its_first_line(tmp_path):
    with pytest.raises(ManifestError, match=r"begins with 'path,label'; expected a list of boxes"):
        listed(tmp_path, "path,label\na.mp4,jump\n")
    with pytest.raises(ManifestError, match=r"gone.csv is not a file"):
        read_boxes(tmp_path / "gone.csv")


def test_what_is_written_reads_back_the_same_from_another_folder(tmp_path):
    rows = [
        BoxRow("", str(tmp_path / "a.mp4"), (16.0, 12.0, 32.0, 48.0), "jump, high", 3, size=(64, 48), person="1"),
        BoxRow("", "/elsewhere/b.mp4", (0.0, 0.25, 0.5, 1.0), "run", 0, person="2"),
    ]
    csv_list.write(tmp_path / "boxes.csv", rows)
    tmp_path.rename(tmp_path.with_name("moved"))

    back = read_boxes(tmp_path.with_name("moved") / "boxes.csv").rows

    assert [row[1:4] for row in back] == [
        (str(tmp_path.with_name("moved") / "a.mp4"), (0.25, 0.25, 0.5, 1.0), "jump, high"),
        ("/elsewhere/b.mp4", (0.0, 0.25, 0.5, 1.0), "run"),
    ]
    assert [row.person for row in back] == ["1", "2"]
