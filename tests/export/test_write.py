import sys
from dataclasses import replace

import pytest
from export_about import ABOUT

from vidattn.export import write
from vidattn.export.cases import TINY, _changed
from vidattn.export.onnx_file import check_onnx
from vidattn.export.write import check_file, multiples, write_exported
from vidattn.mistakes import MissingLibraryError, Mistake


@pytest.fixture
def graph():
    return _changed("", "").build()


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path):
    with pytest.raises(Mistake, match=r"model.pth: wanted a name that ends in .pt2 or .onnx"):
        check_file(tmp_path / "model.pth")
    with pytest.raises(Mistake, match=r"opset=3: wanted one from 18 to 23; 20 is the default"):
        check_file(tmp_path / "model.onnx", opset=3)
    with pytest.raises(Mistake, match=r"opset=20 is ONNX's, and model.pt2 is none; leave it out, or write model.onnx"):
        check_file(tmp_path / "model.pt2", opset=20)
    with pytest.raises(Mistake, match=r"an ONNX file holds at most 2 GB; write model.pt2"):
        check_onnx(20, 3 * 2**30, tmp_path / "model.onnx")
    (tmp_path / "folder.pt2").mkdir()
    with pytest.raises(Mistake, match="is a folder; name another place"):
        check_file(tmp_path / "folder.pt2")


def test_a_missing_library_is_named_with_what_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingLibraryError, match=r'ONNX files need onnx .*pip install "vidattn\[export\]"; a .pt2'):
        check_file(tmp_path / "model.onnx")


def test_only_axes_that_can_be_open_are_asked_for():
    assert multiples(TINY, ["size", "frames"]) == {"frames": 1, "size": 8}
    assert multiples(replace(TINY, tubelet_size=2), ["frames"]) == {"frames": 2}
    with pytest.raises(Mistake, match=r"dynamic='channels' is unknown; choose of frames, size"):
        multiples(TINY, ["channels"])


def test_answers_that_differ_leave_what_was_there_and_nothing_else(graph, tmp_path, monkeypatch):
    file = tmp_path / "model.pt2"
    file.write_text("older")
    monkeypatch.setattr(write, "LIMIT", -1)
    with pytest.raises(Mistake, match=r"its answers differ from the network's by .* nothing was written"):
        write_exported(graph, replace(ABOUT, width=32, dynamic={}), file)
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt2"]
    assert file.read_text() == "older"
