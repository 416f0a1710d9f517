import json
from pathlib import Path

import pytest
from export_about import ABOUT

from vidattn.export.about import KEY, about_of
from vidattn.mistakes import Mistake

FILE = Path("model.onnx")


def test_what_is_written_is_read():
    assert about_of({KEY: ABOUT.to_json(), "other": "entry"}, FILE) == ABOUT
    assert ABOUT.clip == "4 frames of 32x48"


def test_somebody_elses_file_is_refused_by_what_it_holds_and_what_to_do():
    with pytest.raises(Mistake, match=r"model.onnx: says nothing .* under 'vidattn'; it holds 'author': somebody"):
        about_of({"author": "x"}, FILE)
    with pytest.raises(Mistake, match=r"metadata were stripped; .* vidattn export CHECKPOINT model.onnx"):
        about_of({}, FILE)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 99}, "format 99 is newer than this vidattn, which reads 1"),
        ({"height": 0}, r"height=0\); write it again"),
        ({"class_names": [1, 2]}, "class_names must be text"),
        ({"preprocessing": {"mean": [1]}}, r"model.onnx: its metadata cannot be read .*mean=\[1\]"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_a_damaged_or_newer_entry_is_refused(changes, told):
    with pytest.raises(Mistake, match=told):
        about_of({KEY: json.dumps(json.loads(ABOUT.to_json()) | changes)}, FILE)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null"])
def test_an_entry_of_another_kind_is_refused(text):
    with pytest.raises(Mistake, match="its metadata cannot be read"):
        about_of({KEY: text}, FILE)
