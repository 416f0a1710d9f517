"""`vidattn compare`: what it prints, writes and refuses."""

import csv
import json

import pytest

from vidattn.attention.spatial import SpatialAttention
from vidattn.cli import main
from vidattn.flops.compare_command import sentences
from vidattn.flops.comparison import compare
from vidattn.macs import Macs
from vidattn.models.presets import preset

SMALL = ["--preset", "Ti", "--frames", "2,8", "--size", "32,64"]


def test_writes_tables_and_figures(tmp_path, capsys):
    files = [str(tmp_path / f"costs.{ending}") for ending in ("csv", "json", "md")]
    main(["compare", "joint", "space|time", *SMALL, "--csv", files[0], "--json", files[1], "--markdown", files[2],
          "--plots", str(tmp_path / "plots")])  # fmt: skip

    wanted = compare(["joint", "space|time"], [2, 8], [32, 64], preset("Ti"))
    assert json.loads((tmp_path / "costs.json").read_text()) == wanted
    rows = list(csv.DictReader((tmp_path / "costs.csv").open()))
    assert [int(row["macs"]) for row in rows] == [row["macs"] for row in wanted]
    text = (tmp_path / "costs.md").read_text()
    assert "| 8x64 | space\\|time |" in text
    assert "- space|time always costs less than joint" in text
    drawn = {path.name for path in (tmp_path / "plots").iterdir()}
    assert drawn == {"frames.png", "resolution.png", "parts.png"}
    assert "ViT-Ti/16" in capsys.readouterr().out


def test_accuracies_make_a_pareto_plot(tmp_path):
    accuracies = tmp_path / "study.csv"
    accuracies.write_text("set,attention,top1,half_interval\nmotion,joint,0.9,0.05\nmotion,space,0.125,nan\n")

    main(["compare", "joint", "space", "--preset", "Ti", "--plots", str(tmp_path), "--accuracy", str(accuracies)])

    assert (tmp_path / "pareto.png").read_bytes().startswith(b"\x89PNG")


def test_measured_columns_join_the_rows(tmp_path, capsys):
    words = ["joint", "space", "--preset", "Ti", "--frames", "2", "--size", "32,64", "--measure", "--rounds", "1"]
    main(["compare", *words, "--csv", str(tmp_path / "rows.csv"), "--plots", str(tmp_path)])

    rows = list(csv.DictReader((tmp_path / "rows.csv").open()))
    assert [(row["attention"], row["size"]) for row in rows] == [
        ("joint", "32"), ("space", "32"), ("joint", "64"), ("space", "64"),
    ]  # fmt: skip
    assert all(float(row["timed_gmacs"]) == float(row["gmacs"]) for row in rows)  # inference, one clip
    assert [row["time_ratio"] for row in rows][::2] == ["1.0", "1.0"]
    assert (tmp_path / "speed.png").exists()
    assert "inference, fp32, batch 1" in capsys.readouterr().out


def test_sentences_say_where_one_overtakes_the_other():
    point = {"cheaper": "divided", "dearer": "joint", "axis": "frames", "always": False}
    points = [point | {"at": "224 px", "beyond": 11}, point | {"at": "336 px", "beyond": 6}]
    assert sentences(points) == ["divided costs less than joint from 11 frames at 224 px, 6 frames at 336 px"]


@pytest.mark.parametrize("options", [[], ["--check"], ["--match", "macs"]])
def test_a_false_declaration_is_an_error_in_words(options, monkeypatch, capsys):
    monkeypatch.setattr(SpatialAttention, "macs", lambda self, grid: Macs(linear=1))
    with pytest.raises(SystemExit):
        main(["compare", "joint", "time+space", "--preset", "Ti", "--frames", "2", "--size", "32", *options])
    said = capsys.readouterr()
    assert "SpatialAttention) declares" in said.err
    assert "MACs" not in said.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["joint", "--frames", "0"], "0 must be at least 1"),
        (["joint", "--frames", "8;9"], "'8;9' is not a list of whole numbers; write 8,16,32"),
        (["joint", "--size", "225"], "nearest sizes are 224 and 240"),
        (["joint", "--measure", "--rounds", "0"], "argument --rounds: 0 must be at least 1"),
        (["joint", "--measure", "--batch", "1,2"], "'1,2' are several; give one"),
        (["sapce"], "did you mean 'space'"),
        (["joint", "--preset", "Q"], "preset 'Q' is unknown; choose one of Ti, S, B, L"),
        (["joint", "--accuracy", "{wrong}"], "must have the columns attention and top1"),
        (["joint", "--accuracy", "{percent}"], "top1=78.0 of joint is not a share; write 0.78 for 78%"),
        (["joint", "--accuracy", "nowhere.csv"], "nowhere.csv"),
        (["joint", "--config", "{wrong}"], "has no model.network; give a configuration of vidattn fit"),
        (["joint", "--match", "macs", "--frames", "4,8"], "schemes are matched on one clip"),
    ],
)
def test_mistakes_end_with_a_sentence(words, message, tmp_path, capsys):
    (tmp_path / "wrong.csv").write_text("scheme,accuracy\njoint,0.9\n")
    (tmp_path / "percent.csv").write_text("attention,top1\njoint,78\n")
    files = {name: str(tmp_path / f"{name}.csv") for name in ("wrong", "percent")}
    with pytest.raises(SystemExit):
        main(["compare", *(word.format(**files) for word in words)])
    assert message in capsys.readouterr().err
