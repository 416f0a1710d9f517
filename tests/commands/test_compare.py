"""`vidattn compare`: what it prints, writes and refuses."""

import csv
import json

import pytest

from vidattn.attention.spatial import SpatialAttention
from vidattn.cli import main
from vidattn.commands.compare import readable, sentences
from vidattn.comparison.accuracy import read_accuracy
from vidattn.comparison.comparison import compare
from vidattn.flops.counting import count
from vidattn.macs import Macs
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import preset

SMALL = ["--preset", "Ti", "--frames", "2,8", "--size", "32,64"]


def test_writes_tables_and_figures(tmp_path, capsys):
    files = [str(tmp_path / f"costs.{ending}") for ending in ("csv", "json", "md")]
    main(["compare", "joint", "space|time", *SMALL, "--csv", files[0], "--json", files[1], "--markdown", files[2],
          "--out", str(tmp_path / "plots")])  # fmt: skip

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

    main(["compare", "joint", "space", "--preset", "Ti", "--out", str(tmp_path), "--accuracy", str(accuracies)])

    assert (tmp_path / "pareto.png").read_bytes().startswith(b"\x89PNG")


def test_measured_columns_join_the_rows(tmp_path, capsys):
    words = ["joint", "space", "--preset", "Ti", "--frames", "2", "--size", "32,64", "--measure", "--rounds", "1"]
    main(["compare", *words, "--csv", str(tmp_path / "rows.csv"), "--out", str(tmp_path)])

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


def test_sentences_say_where_one_is_always_the_cheaper_one():
    point = {"cheaper": "divided", "dearer": "joint", "axis": "frames"}
    points = [point | {"at": "224 px", "beyond": 11, "always": False}, point | {"at": "1024 px", "beyond": 1,
              "always": True}]  # fmt: skip
    assert sentences(points) == [
        "divided costs less than joint from 11 frames at 224 px",
        "divided always costs less than joint at 1024 px",
    ]


def test_clips_may_be_oblong(tmp_path, capsys):
    config = tmp_path / "wide.yaml"
    config.write_text(
        "model: {network: {image_size: [64, 128], num_frames: 2, embed_dim: 64, num_heads: 1, depth: 1}}\n"
    )
    out = tmp_path / "rows.json"
    for words in (
        [],
        ["--size", "64x128"],
        ["--size", "64,64x128", "--out", str(tmp_path), "--measure", "--rounds", "1"],
    ):
        main(["compare", "joint", "space", "--config", str(config), "--json", str(out), *words])
        row = json.loads(out.read_text())[-1]
        wanted = count(VideoTransformerConfig("space", 400, 2, (64, 128), embed_dim=64, num_heads=1, depth=1))
        assert (row["height"], row["width"], row["size"], row["macs"]) == (64, 128, "64x128", wanted.macs)
    assert row["timed_gmacs"] == row["gmacs"]
    assert "2x64x128" in capsys.readouterr().out


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
        (
            ["joint", "--preset", "videoprism-b"],
            "no scheme can stand for another in preset 'videoprism-b'; vidattn flops",
        ),
        (["joint", "--preset", "Q"], "preset 'Q' is unknown; choose one of Ti, S, B, L"),
        (["joint", "--out", "new", "--accuracy", "{wrong}"], "must have the columns attention and top1"),
        (
            ["joint", "--out", "new", "--accuracy", "{percent}"],
            "top1=78.0 of joint is not a share; write 0.78 for 78",
        ),
        (["joint", "--out", "new", "--accuracy", "{short}"], "short.csv, line 3 is shorter than the first line"),
        (
            ["joint", "--out", "new", "--accuracy", "{word}"],
            "word.csv, line 2: could not convert string to float: 'ab",
        ),
        (["joint", "--out", "new", "--accuracy", "{none}"], "none.csv has no line below its columns"),
        (["joint", "--out", "new", "--accuracy", "nowhere.csv"], "nowhere.csv"),
        (["joint", "--config", "{wrong}"], "has no model.network; give a configuration of vidattn fit"),
        (["joint", "--config", "{key}"], "key.csv: model.network has no wdith; it has"),
        (["joint", "--config", "{broken}"], "broken.csv: is no YAML"),
        (["joint", "--config", "{depth}"], "depth.csv: model.network: "),
        (["joint", "divided", "joint"], "'joint' is the scheme 'joint' once more"),
        (["joint", "--frames", "8,4,8"], "'8,4,8' has a value twice"),
        (["joint", "--size", "32,32x32"], "'32,32x32' has a value twice"),
        (["joint", "--size", "32*32"], "'32*32' is no size in pixels"),
        (["joint", "--accuracy", "{wrong}"], "--accuracy is drawn: name a folder with --out"),
        (["joint", "--config", "{depth}", "--preset", "Ti"], "--preset does not go with --config"),
        (["joint", "--training"], "--training belongs to --measure"),
        (["joint", "--by", "depth"], "--by belongs to --match"),
        (["joint", "--match", "macs", "--csv", "a.csv"], "--csv does not go with --match"),
        (["joint", "--match", "macs", "--measure"], "--measure does not go with --match"),
        (["joint", "--csv", "new.txt"], "--csv new.txt must end in .csv"),
        (["joint", "--csv", "new.json"], "--csv new.json must end in .csv"),
        (["joint", "--out", "{wrong}"], "wrong.csv is a file; name another place"),
        (["joint", "--json", "{wrong}/a.json"], "wrong.csv is a file; name another place"),
        (["joint", "--match", "macs", "--frames", "4,8"], "schemes are matched on one clip"),
        (
            ["joint", "--out", "p", "--accuracy", "{seeds}"],
            "line 3: joint of accuracy stands there twice; give a line",
        ),
        (["divided", "--out", "p", "--accuracy", "{alias}"], "'divided' is the scheme 'divided' once more"),
        (["space", "--out", "p", "--accuracy", "{alias}"], "no accuracy is of a scheme that is compared (space)"),
    ],
)
def test_mistakes_end_with_a_sentence(words, message, tmp_path, monkeypatch, capsys):
    (tmp_path / "wrong.csv").write_text("scheme,accuracy\njoint,0.9\n")
    (tmp_path / "percent.csv").write_text("attention,top1\njoint,78\n")
    (tmp_path / "short.csv").write_text("top1,attention\n0.5,space\n0.9\n")
    (tmp_path / "word.csv").write_text("attention,top1\njoint,abc\n")
    (tmp_path / "none.csv").write_text("attention,top1\n")
    (tmp_path / "seeds.csv").write_text("attention,seed,top1\njoint,0,0.6\njoint,1,0.9\n")
    (tmp_path / "alias.csv").write_text("attention,top1\ntime+space,0.6\ndivided,0.9\n")
    (tmp_path / "key.csv").write_text("model: {network: {wdith: 2}}")
    (tmp_path / "broken.csv").write_text("model: [")
    (tmp_path / "depth.csv").write_text("model: {network: {depth: two}}")
    files = {path.stem: str(path) for path in tmp_path.iterdir()}
    monkeypatch.chdir(tmp_path)
    # What can be said before the work is said before it.
    monkeypatch.setattr("vidattn.comparison.comparison.count_outline", None)
    with pytest.raises(SystemExit):
        main(["compare", *(word.format(**files) for word in words)])
    assert message in capsys.readouterr().err


def test_accuracies_from_a_spreadsheet_are_read(tmp_path):
    (tmp_path / "marked.csv").write_bytes(b"\xef\xbb\xbfattention,top1\r\njoint,0.9\r\n")

    assert read_accuracy(str(tmp_path / "marked.csv")) == {"accuracy": {"joint": (0.9, 0)}}


def test_small_costs_have_digits():
    row = compare(["joint"], [2], [32], preset("Ti", depth=1, embed_dim=24, num_heads=2))[0]
    assert float(readable(row)["GMACs"]) == pytest.approx(row["gmacs"], rel=1e-2)
    assert float(readable(row)["saved MiB"]) == pytest.approx(row["activation_mib"], rel=0.1)
