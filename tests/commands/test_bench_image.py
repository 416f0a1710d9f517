import csv

import pytest
from matplotlib.figure import Figure

from vidattn.attention.image.self_attention import MapAttention
from vidattn.commands import bench_attention, bench_image, bench_model


def test_writes_a_row_for_each_block_and_size_and_leaves_out_what_takes_too_long(tmp_path, capsys):
    bench_image.run(["map", "cbam(4)"], sides=[8, 16, 512], dim=16, rounds=1, max_seconds=60, out=str(tmp_path))

    with open(tmp_path / "image_blocks.csv") as file:
        rows = {(row["block"], int(row["side"])): row for row in csv.DictReader(file)}
    assert len(rows) == 6
    assert int(rows["map", 16]["macs"]) == MapAttention(16).macs(16, 16).total
    assert float(rows["map", 16]["step_ms"]) > 0
    assert rows["map", 512]["step_ms"] == ""
    assert rows["map", 512]["note"].startswith("not run: about")
    text = (tmp_path / "image_blocks.md").read_text()
    assert "| `cbam(4)` |" in text
    assert text.partition("What one pixel sees")[0].strip() in capsys.readouterr().out
    assert (tmp_path / "image_blocks.png").read_bytes().startswith(b"\x89PNG")


def test_blocks_of_the_user_have_names_in_the_figure(tmp_path, monkeypatch):
    named = []
    monkeypatch.setattr("vidattn.plots.costs.plot_costs", lambda *args: named.append(args[-1]) or Figure())

    bench_image.run(["swin(4)", "map"], sides=[8], dim=16, rounds=1, out=str(tmp_path))

    assert named == [["swin(4)", "map"]]


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (bench_image, {"blocks": ["foo"]}, "unknown step 'foo'"),
        (bench_image, {"blocks": ["joint"]}, "'joint' is no image block"),
        (bench_image, {"sides": [14, 0]}, "sides=0 must be at least 1"),
        (bench_image, {"rounds": 0}, "rounds=0 must be at least 1"),
        (bench_image, {"out": __file__}, "is a file; name another place"),
        (bench_model, {"rounds": 0}, "rounds=0 must be at least 1"),
        (bench_model, {"num_frames": 0}, "num_frames=0 must be at least 1"),
        (bench_model, {"image_size": 33}, "nearest sizes are 32 and 48"),
        (bench_attention, {"lengths": [0]}, "lengths=0 must be at least 1"),
    ],
)
def test_what_cannot_be_timed_is_said_first(command, arguments, message):
    with pytest.raises(ValueError, match=message):
        command.run(**arguments)
