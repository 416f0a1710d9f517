import csv
import json

from vidattn.answers import write_answers

ROWS = [
    {"path": "a.mp4", "top": [{"class": "caf\u00e9, one", "probability": 0.75}, {"class": "b", "probability": 0.25}]},
    {"path": "bad\udcff.mp4", "top": [{"class": "b", "probability": 1.0}]},
    {"path": "gone.mp4", "error": "no such file"},
]


def test_a_table_has_a_line_for_each_answered_video(tmp_path):
    write_answers(tmp_path / "new" / "a.csv", ROWS, top=1)
    with (tmp_path / "new" / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))

    assert rows == [
        ["path", "class_1", "probability_1"],
        ["a.mp4", "caf\u00e9, one", "0.750000"],
        ["bad\\udcff.mp4", "b", "1.000000"],
    ]


def test_json_holds_the_rows_as_they_are(tmp_path):
    write_answers(tmp_path / "a.JSON", ROWS, top=1)

    assert json.loads((tmp_path / "a.JSON").read_text()) == ROWS
