import pytest
import torch
from small_networks import logits, small_model

from vidattn.checkpoints.load import load
from vidattn.cli import main


@pytest.fixture
def source(tmp_path):
    small_model().save_pretrained(tmp_path / "source")
    return tmp_path / "source"


def test_a_checkpoint_becomes_a_folder_with_the_same_logits(source, tmp_path, capsys):
    main(["convert", str(source / "model.safetensors"), str(tmp_path / "out")])

    one, two = load(source), load(tmp_path / "out")
    assert torch.equal(logits(one.network), logits(two.network))
    assert two.class_names == one.class_names
    assert (tmp_path / "out" / "README.md").exists()
    assert capsys.readouterr().out == (
        f"wrote {tmp_path / 'out'}: divided, 5 classes, 4 frames of 32 x 32; "
        f"vidattn.load({str(tmp_path / 'out')!r}) reads it\n"
    )


def test_another_scheme_is_written_and_what_that_means_is_said(source, tmp_path, capsys):
    main(["convert", str(source), str(tmp_path / "out"), "--attention", "joint", "--num-frames", "6"])

    config = load(tmp_path / "out").config
    assert (config.attention, config.num_frames) == ("joint", 6)
    said = capsys.readouterr().out
    assert "time.table: resized, 4 frames -> 6, linear" in said
    assert "attention: divided -> joint, computes something else at first: train it further" in said


def test_a_folder_that_holds_a_model_is_not_written_over_unless_told(source, tmp_path, capsys):
    other = tmp_path / "other"
    small_model("joint").save_pretrained(other)

    with pytest.raises(SystemExit):
        main(["convert", str(source), str(other)])
    assert "holds a model already" in capsys.readouterr().err
    assert load(other).config.attention == "joint"

    main(["convert", str(source), str(other), "--overwrite"])
    assert load(other).config.attention == "divided"
    assert "**divided** attention" in (other / "README.md").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.ckpt", "out"], r"nowhere\.ckpt: no such file"),
        (["SOURCE", "out", "--attention", "jiont"], "did you mean 'joint'"),
        (["SOURCE", "out", "--image-size", "33"], "nearest sizes are 32 and 40"),
    ],
)
def test_a_mistake_is_one_line(source, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit, match=message):
        main(["convert", *(str(source) if word == "SOURCE" else word for word in words)])
    assert not (tmp_path / "out").exists()
