"""What the command refuses, in a line; what it writes: tests/export/test_exported.py."""

import pytest

from vidattn.cli import main


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["best.ckpt"], "wanted SOURCE and OUT, as in: vidattn export best.ckpt model.onnx"),
        (["best.ckpt", "--table", "t.csv"], "--table stands alone"),
        (["model.onnx", "model.pt2"], "model.onnx: an exported file already; give the checkpoint that it was made of"),
        (["{checkpoint}", "model.txt"], "model.txt: wanted a name that ends in .pt2 or .onnx"),
        (["{checkpoint}", "model.onnx", "--opset", "7"], "opset=7: wanted one from 18 to 23"),
        (["{checkpoint}", "model.pt2", "--dynamic", "sizes"], "dynamic='sizes' is unknown; choose of frames, size"),
        (["{checkpoint}", "model.pt2", "--task", "detect"], "holds no detector of actions"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(words, told, checkpoint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if "--opset" in words:
        pytest.importorskip("onnx")
    with pytest.raises(SystemExit) as end:
        main(["export", *(word.format(checkpoint=checkpoint) for word in words)])
    assert end.value.code == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
