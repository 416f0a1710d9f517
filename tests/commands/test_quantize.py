import csv
import json
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from small import CLASSES, bright, needs_torchao, pretrained
from tiny_run import config, write_config, write_set

import vidattn
from vidattn.commands import trainer
from vidattn.commands.calibrate import calibrate
from vidattn.commands.export import export
from vidattn.commands.quantize import quantize
from vidattn.mistakes import MissingLibraryError, Mistake
from vidattn.quantization.kinds import KINDS

pytestmark = needs_torchao


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Videos, and a network that tells them apart, as a folder."""
    folder = tmp_path_factory.mktemp("quantize")
    (folder / "videos").mkdir()
    write_set(folder / "videos")
    pretrained(bright(), CLASSES).save_pretrained(folder / "large")
    quantize([str(folder / "large"), str(folder / "int8.safetensors"), "--to", "int8"])
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_loaded_and_classifies(kind, place, tmp_path, capsys):
    calibrate = ["--calibrate", f"{place}/videos/train.csv"] if KINDS[kind].needs_ranges else []
    quantize([f"{place}/large", str(tmp_path / "small.safetensors"), "--to", kind, *calibrate])
    said = capsys.readouterr().out
    assert f"{kind}, 14 linear layers" in said
    assert ("ranges of 12 clips (percentile)" in said) == bool(calibrate)

    large = vidattn.Classifier.from_pretrained(f"{place}/large")
    small = vidattn.Classifier.from_pretrained(tmp_path / "small.safetensors")
    assert (small.class_names, small.preparation) == (large.class_names, large.preparation)
    assert small.calibration == large.calibration
    wanted, found = large(f"{place}/videos/test*.mp4"), small(f"{place}/videos/test*.mp4")
    assert [one.name for one in found] == [one.name for one in wanted]
    apart = max(abs(a.probability - b.probability) for a, b in zip(wanted, found, strict=True))
    assert 0 < apart < 0.1
    model = vidattn.load(tmp_path / "small.safetensors")
    assert (model.quantization.kind, model.licence) == (kind, "CC0")


def test_a_folder_keeps_it_through_another_saving_and_says_so(place, tmp_path):
    quantize([f"{place}/large", str(tmp_path / "small"), "--to", "int8-weights", "--skip", "*.qkv"])
    model = vidattn.load(tmp_path / "small")
    assert json.loads((tmp_path / "small/config.json").read_text())["vidattn"]["quantization"]["kind"] == "int8-weights"
    card = (tmp_path / "small/README.md").read_text()
    assert f"{sum(one.numel() for one in bright().parameters()):,}" in card
    assert "int8-weights" in card
    model.save_pretrained(tmp_path / "again")
    clip = torch.randint(256, (1, 3, 4, 32, 32), dtype=torch.uint8)
    assert torch.equal(vidattn.load(tmp_path / "again")(clip), model(clip))


def test_files_are_a_quarter_and_a_seventh_where_the_layers_are_wide(tmp_path):
    network = vidattn.VideoTransformerConfig(
        "divided", num_classes=10, num_frames=2, image_size=32, patch_size=8, embed_dim=768, depth=1, num_heads=12
    ).build()
    pretrained(network, list("abcdefghij")).save_pretrained(tmp_path / "large")
    large = (tmp_path / "large/model.safetensors").stat().st_size
    for kind, most in (("int8", 0.27), ("int4-weights", 0.17)):
        quantize([str(tmp_path / "large"), str(tmp_path / f"{kind}.safetensors"), "--to", kind])
        assert (tmp_path / f"{kind}.safetensors").stat().st_size < most * large


def test_a_small_network_is_tested_like_any_other(place, tmp_path):
    settings = write_config(tmp_path / "tiny.yaml", config(place / "videos", tmp_path / "runs"))
    words = ["--config", str(settings), "--model.weights", f"{place}/int8.safetensors"]
    trainer.test([*words, "--model.network.embed_dim", "64"])
    card = json.loads((tmp_path / "runs/test_0/scorecard.json").read_text())
    assert card["video_top1"] == 7 / 8  # one label is wrong


def test_a_small_network_is_not_trained_changed_or_made_small_again(place, tmp_path):
    settings = write_config(tmp_path / "tiny.yaml", config(place / "videos", tmp_path / "runs"))
    words = ["--config", str(settings), "--model.weights", f"{place}/int8.safetensors"]
    with pytest.raises(Mistake, match="the weights are quantised to int8, which is not trained; give the checkpoint"):
        trainer.fit([*words, "--model.network.embed_dim", "64"])
    with pytest.raises(Mistake, match=r"quantised to int8.*embed_dim=64 in the file, 16 here"):
        trainer.fit(words)
    with pytest.raises(Mistake, match=r"quantised to int8.*num_frames=4 in the file, 8 here"):
        vidattn.load(f"{place}/int8.safetensors", num_frames=8)
    with pytest.raises(Mistake, match="quantised already, to int8"):
        quantize([f"{place}/int8.safetensors", str(tmp_path / "x"), "--to", "int8"])
    assert not (tmp_path / "x").exists()


def test_what_rounds_activations_is_not_exported(place, tmp_path):
    with pytest.raises(Mistake, match="quantised to int8 is not exported: it rounds activations as they come"):
        export([f"{place}/int8.safetensors", str(tmp_path / "x.onnx")])


def test_a_temperature_can_be_put_into_a_small_file(place, tmp_path):
    quantize([f"{place}/large", str(tmp_path / "small"), "--to", "int8"])
    calibrate([str(tmp_path / "small"), "--val", f"{place}/videos/val.csv"])
    model = vidattn.load(tmp_path / "small")
    assert model.quantization.kind == "int8"
    assert model.calibration.temperature != 1.5


def test_what_cannot_be_is_refused_before_work_and_leaves_nothing(place, tmp_path, monkeypatch):
    large, out = f"{place}/large", str(tmp_path / "out")
    refusals = [
        (["--to", "int3"], "kind='int3' of quantisation is unknown"),
        (["--to", "int8-static"], "measured: give videos of the kind that it will see"),
        (["--to", "int8", "--calibrate", "x"], "--calibrate x: int8 measures no ranges"),
        (["--to", "int8", "--clip", "minmax"], "--clip minmax: int8 measures no ranges"),
        (["--to", "int8", "--skip", "nothing*"], r"skip='nothing\*' matches no linear layer"),
        (["--to", "int8-static", "--calibrate", str(tmp_path / "absent.csv")], "absent.csv"),
        (["--to", "int8-static", "--clips", "0", "--calibrate", large], "clips=0 must be at least 1"),
    ]
    for words, message in refusals:
        with pytest.raises(Mistake, match=message):
            quantize([large, out, *words])
    with pytest.raises(Mistake, match=r"model\.ckpt: wanted a name that ends in \.safetensors"):
        quantize([large, str(tmp_path / "model.ckpt"), "--to", "int8"])
    with pytest.raises(Mistake, match=r"int8\.safetensors is there already; name another, or add --overwrite"):
        quantize([large, f"{place}/int8.safetensors", "--to", "int8"])
    with pytest.raises(Mistake, match="holds a model already"):
        quantize([large, large, "--to", "int8"])
    monkeypatch.setitem(sys.modules, "torchao.quantization.quant_primitives", None)
    with pytest.raises(MissingLibraryError, match=r'needs torchao .*pip install "vidattn\[export\]"'):
        quantize([large, out, "--to", "int8"])
    assert list(tmp_path.iterdir()) == []
    quantize([large, f"{out}.safetensors", "--to", "fp8"])  # which needs none
    vidattn.load(f"{place}/int8.safetensors")  # nor does what is there


def test_videos_that_cannot_be_read_calibrate_nothing(place, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 100)
    (tmp_path / "list.csv").write_text("broken.mp4,dark\n")
    words = ["--to", "int8-static", "--calibrate", str(tmp_path / "list.csv")]
    with pytest.raises(Mistake, match="none of its videos could be read; vidattn check"):
        quantize([f"{place}/large", str(tmp_path / "out"), *words])


def test_a_file_of_another_network_or_with_damaged_words_is_named(place, tmp_path):
    with safe_open(place / "int8.safetensors", "pt") as opened:
        about = json.loads(opened.metadata()["vidattn"])
        state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    for quantization, message in (
        ({"kind": "int99", "layers": ["x"]}, "kind='int99' of quantisation is unknown"),
        ({"kind": "int8", "layers": ["blocks.7.mlp.fc1"]}, r"no linear layer blocks\.7\.mlp\.fc1"),
        ({"kind": "int8", "layers": about["quantization"]["layers"][:3]}, "do not fit this network"),
    ):
        written = json.dumps({**about, "quantization": quantization})
        save_file(state, tmp_path / "x.safetensors", {"format": "pt", "vidattn": written})
        with pytest.raises(Mistake, match=message):
            vidattn.load(tmp_path / "x.safetensors")


def test_a_table_of_every_kind_with_a_picture(place, tmp_path, capsys):
    lists = ["--table", f"{place}/videos/test.csv", "--calibrate", f"{place}/videos/train.csv"]
    quantize([f"{place}/large", *lists, "--csv", str(tmp_path / "kinds.csv"), "--batch", "1"])
    said = capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "kinds.csv").open()))
    assert [row["kind"] for row in rows] == ["fp32", "bf16", *KINDS]
    assert [float(row["top1"]) for row in rows] == [7 / 8] * 7  # one label is wrong
    assert {row["agreement"] for row in rows} == {"1.0"}
    assert "8 clips" in said
    assert "simulated: the same e4m3 numbers" in rows[-1]["how"]
    assert (tmp_path / "kinds.png").stat().st_size > 10_000


def test_a_table_wants_labels_and_no_other_work(place, tmp_path):
    (tmp_path / "list.csv").write_text(f"{place}/videos/test0.mp4\n")
    with pytest.raises(Mistake, match="wanted videos with a class each"):
        quantize([f"{place}/large", "--table", str(tmp_path / "list.csv"), "--csv", str(tmp_path / "x.csv")])
    with pytest.raises(Mistake, match=r"x\.json must end in \.csv"):
        quantize([f"{place}/large", "--table", f"{place}/videos/test.csv", "--csv", "x.json"])
    with pytest.raises(SystemExit):
        quantize([f"{place}/large", "out", "--table", f"{place}/videos/test.csv"])
    assert [file.name for file in tmp_path.iterdir()] == ["list.csv"]
