"""A covering choice through both exporters: `vidattn export --table` tries all, in minutes."""

import csv

import pytest

from vidattn.export.cases import Case, _changed, cases
from vidattn.export.graphs import ProbabilityGraph
from vidattn.export.table import COLUMNS, tried, write_table
from vidattn.export.write import LIMIT

ALL = {(case.kind, case.name): case for case in cases()}
COVERING = [("scheme", "mvit")]


@pytest.mark.parametrize("which", COVERING, ids=" ".join)
def test_both_kinds_of_file_answer_as_the_network_does(which):
    for library in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(library)
    (row,) = tried([ALL[which]])
    assert not row["refused"]
    assert max(float(row["pt2"]), float(row["onnx"])) <= LIMIT


class Undecided(ProbabilityGraph):
    """Asks a number of the pixels, which no graph can hold."""

    def forward(self, video):
        return super().forward(video if video.float().mean() > 3 else -video)


def test_a_network_that_cannot_be_exported_has_a_row_with_the_reason(tmp_path):
    for library in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(library)
    plain = _changed("", "").build()
    case = Case("task", "undecided", lambda: Undecided(plain.network, plain.normalize, plain.probabilities))

    write_table(tmp_path / "table.csv", [case])

    with open(tmp_path / "table.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert tuple(row) == COLUMNS
    assert (row["name"], row["pt2"], row["onnx"]) == ("undecided", "", "")
    assert row["refused"].startswith("undecided cannot be exported (torch.export: ")
