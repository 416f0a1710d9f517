import csv
import json

import pytest

from vidattn.tables import write_rows

ROWS = [{"attention": "space|time", "GMACs": 1.5}, {"attention": "joint", "GMACs": 2.0}]


def test_rows_are_written_as_the_ending_says(tmp_path):
    assert json.loads(write_rows(ROWS, tmp_path / "new" / "a.json").read_text()) == ROWS
    with open(write_rows(ROWS, tmp_path / "a.csv"), newline="") as file:
        assert [row["GMACs"] for row in csv.DictReader(file)] == ["1.5", "2.0"]
    assert r"| space\|time | 1.5 |" in write_rows(ROWS, tmp_path / "a.md").read_text()


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\.xls must end in \.csv, \.json or \.md"):
        write_rows(ROWS, tmp_path / "a.xls")
