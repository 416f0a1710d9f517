"""`vidattn flops` as a user runs it."""

import csv
import json
import re

import pytest

from vidattn.cli import main
from vidattn.flops.published import figures

SMALL = """model:
  network: {attention: time+pooled, num_classes: 5, num_frames: 4, image_size: 32, patch_size: 8, embed_dim: 32,
            depth: 3, num_heads: 2}
data: {num_test_clips: 2, num_test_crops: 3}
"""


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A terminal in which no line is folded."""
    monkeypatch.setenv("COLUMNS", "400")


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


def test_prints_parts_blocks_clip_and_prediction_and_writes_them(small, tmp_path, capsys):
    files = {
        name: tmp_path / f"cost [v2].{ending}"
        for name, ending in (("csv", "csv"), ("json", "json"), ("markdown", "md"))
    }
    main(["flops", str(small), *(word for name, path in files.items() for word in (f"--{name}", str(path)))])

    rows = {row["row"]: row for row in json.loads(files["json"].read_text())}
    clip, prediction = rows["clip"], rows["prediction, 2 clip(s) x 3 crop(s)"]
    parts = ("patch embedding", "attention projections", "attention scores and values", "MLP", "convolution", "head")
    assert clip["macs"] == sum(rows[part]["macs"] for part in parts)
    assert all(row["flops"] == 2 * row["macs"] for row in rows.values())
    assert prediction["macs"] == 6 * clip["macs"]
    blocks = rows["each of blocks 0-2: TemporalAttention + PooledAttention"]
    assert clip["macs"] == 3 * blocks["macs"] + rows["patch embedding"]["macs"] + rows["head"]["macs"]
    assert 0 < 3 * blocks["activation_bytes"] < clip["activation_bytes"]

    with open(files["csv"]) as file:
        assert [row["macs"] for row in csv.DictReader(file)] == [str(row["macs"]) for row in rows.values()]
    assert f"| clip | time+pooled | 4x32x32 | {clip['macs']} |" in files["markdown"].read_text()
    shown = capsys.readouterr().out
    assert f"wrote {', '.join(map(str, files.values()))}\n" in shown
    assert "1 MAC = 2 FLOPs" in shown
    assert "MMACs" in shown  # a million, as the network is small
    assert f"{clip['macs'] / 1e6:.3f}" in shown
    assert f"{clip['parameters']:,}" in shown
    assert re.search(r"lean form, .* \(vidattn.lean\): \d+\.\d{3} MMACs a clip, \d+\.\d% fewer", shown)


def test_blocks_that_take_turns_are_shown_once_each(capsys):
    main(["flops", "swin(7)", "--frames", "2", "--size", "112x224"])
    shown = capsys.readouterr().out
    assert "blocks 0, 2, 4, 6, 8, 10: WindowAttention" in shown
    assert "blocks 1, 3, 5, 7, 9, 11: ShiftedWindowAttention" in shown
    assert "2 x 112 x 224" in shown


def test_measures_time_and_memory_here(small, tmp_path, capsys):
    main(["flops", str(small), "--measure", "--json", str(tmp_path / "cost.json")])
    rows = {row["row"]: row for row in json.loads((tmp_path / "cost.json").read_text())}
    inference, step = rows["inference, measured here"], rows["training step, measured here"]
    assert 0 < inference["fastest"] <= inference["milliseconds"] <= inference["slowest"]
    assert step["peak_mib"] > inference["peak_mib"] > 0
    assert "training step, 1 clip(s)" in capsys.readouterr().out


@pytest.fixture(scope="module")
def explained():
    """What is explained takes seconds to count."""
    return list(figures())


def test_explain_prints_every_figure_with_how_it_was_counted(explained, capsys):
    main(["flops", "--explain"])
    shown = capsys.readouterr().out
    for figure in explained:
        assert f"{figure.published} {figure.unit}" in shown
        assert figure.how in shown
    assert "451.5 (differs)" in shown


def test_a_file_holds_the_published_figures_beside_the_networks_rows(explained, tmp_path, monkeypatch):
    monkeypatch.setattr("vidattn.commands.flops.figures", lambda: explained)
    main(["flops", "Ti", "--explain", "--json", str(tmp_path / "all.json")])
    rows = json.loads((tmp_path / "all.json").read_text())
    assert [row["published"] for row in rows if row["published"]] == [
        f"{one.published} {one.unit}" for one in explained
    ]
    assert [row["row"] for row in rows].count("clip") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name a network, such as timesformer or time+space, or give --explain"),
        (["joint", "--size", "225"], "225 is not a multiple of patch_size=16; nearest sizes are 224 and 240"),
        (["joint", "--size", "big"], "'big' is no size in pixels; write 224, or 224x320"),
        (["joint", "--frames", "0"], "num_frames=0 must be at least 1"),
        (["joint", "--batch", "0"], "batch=0 must be at least 1"),
        (["joint", "--crops", "0"], "crops=0 must be at least 1"),
        (["joint", "--csv", "cost.txt"], "--csv cost.txt must end in .csv"),
        (["Timesformer"], "did you mean 'timesformer'?"),
        (["timesformer", "--input", "1,3,8,224,224"], "timesformer is no import path, which --input needs"),
        (["torch.nn.ReLU", "--input", "1,3", "--frames", "4"], "--frames does not go with --input"),
        (["torch.nn.ReLU", "--input", "1,3", "--measure"], "--measure does not go with --input"),
        (["jiont"], "did you mean 'joint'?"),
    ],
)
def test_a_wrong_word_ends_with_a_clear_line(words, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["flops", *words])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
