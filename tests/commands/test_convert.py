import dataclasses
import json
import re

import pytest
import torch
from small_networks import logits, small_model

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checkpoints.renaming import WeightsError
from vidattn.classify.classifier import Classifier
from vidattn.cli import main
from vidattn.preprocessing import SamplingRule
from vidattn.training.video_classifier import VideoClassifier


@pytest.fixture
def source(tmp_path):
    small_model().save_pretrained(tmp_path / "source")
    return tmp_path / "source"


def test_a_checkpoint_becomes_a_folder_with_the_same_logits(source, tmp_path, capsys):
    main(["convert", str(source / "model.safetensors"), "--out", str(tmp_path / "out")])

    one, two = load(source), load(tmp_path / "out")
    assert torch.equal(logits(one.network), logits(two.network))
    assert two.class_names == one.class_names
    assert (tmp_path / "out" / "README.md").exists()
    assert capsys.readouterr().out == (
        f"wrote {tmp_path / 'out'}: divided, 5 classes, 4 frames of 32 x 32; "
        f"vidattn.load({str(tmp_path / 'out')!r}) reads it\n"
    )


def test_another_scheme_is_written_and_what_that_means_is_said(source, tmp_path, capsys):
    main(["convert", str(source), "--out", str(tmp_path / "out"), "--attention", "joint", "--num-frames", "6"])

    config = load(tmp_path / "out").config
    assert (config.attention, config.num_frames) == ("joint", 6)
    said = capsys.readouterr().out
    assert "time.table: resized, 4 frames -> 6, linear" in said
    assert "attention: divided -> joint, computes something else at first: train it further" in said


def test_the_licence_of_the_weights_is_said_once_and_goes_on(tmp_path, capsys):
    model = small_model()
    model.licence = "MIT (somebody)"
    model.save_pretrained(tmp_path / "source")
    main(["convert", str(tmp_path / "source"), "--out", str(tmp_path / "out")])
    assert capsys.readouterr().out.count("MIT") == 1
    assert load(tmp_path / "out").licence == "MIT (somebody)"
    assert "| licence of these weights | MIT (somebody) |" in (tmp_path / "out" / "README.md").read_text()


SAMPLING = SamplingRule("vidattn.data.StrideSampling", {"num_frames": 4, "frame_stride": 2})


@pytest.fixture
def joint(tmp_path):
    """A folder of other weights with the scheme that they were not trained for."""
    model = small_model()
    model.preprocessing = dataclasses.replace(model.preprocessing, sampling=SAMPLING)
    model.save_pretrained(tmp_path / "source")
    main(["convert", str(tmp_path / "source"), "--out", str(tmp_path / "joint"), "--attention", "joint"])
    return tmp_path / "joint"


DOUBT = "attention: divided -> joint, computes something else at first: train it further"


@pytest.mark.parametrize("name", ["", "model.safetensors"])
def test_what_makes_answers_doubtful_comes_back_with_the_folder(joint, name):
    assert DOUBT in load(joint / name).report
    assert DOUBT in Classifier.from_pretrained(joint / name).notes


def test_a_folder_of_a_folder_keeps_what_was_said_of_both(joint, tmp_path):
    main(["convert", str(joint), "--out", str(tmp_path / "longer"), "--num-frames", "6"])

    assert load(tmp_path / "longer").report == [*load(joint).report, "time.table: resized, 4 frames -> 6, linear"]


def test_a_head_that_starts_fresh_gives_no_answers_from_the_folder_either(joint, tmp_path):
    main(["convert", str(joint), "--out", str(tmp_path / "fresh"), "--num-classes", "7"])

    with pytest.raises(WeightsError, match="has no head, so no answers"):
        Classifier.from_pretrained(tmp_path / "fresh")


def test_training_from_the_folder_leaves_the_doubts_behind(joint, tmp_path):
    module = VideoClassifier(load(joint).config, weights=str(joint))
    checkpoint = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(checkpoint)
    torch.save(checkpoint, tmp_path / "trained.ckpt")

    assert load(tmp_path / "trained.ckpt").report == []


def test_training_by_ones_own_loop_leaves_the_doubts_behind_as_well(joint, tmp_path):
    model = load(joint, num_classes=7)
    model.class_names = list("abcdefg")
    model(torch.zeros(1, 3, 4, 32, 32, dtype=torch.uint8)).sum().backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    model.save_pretrained(tmp_path / "tuned")

    assert load(tmp_path / "tuned").report == []
    assert "assumed" not in (tmp_path / "tuned" / "README.md").read_text()
    assert Classifier.from_pretrained(tmp_path / "tuned").notes == []


def test_another_type_of_number_is_no_training(joint, tmp_path):
    load(joint).half().save_pretrained(tmp_path / "half")

    assert load(tmp_path / "half").report == load(joint).report


def test_the_card_names_the_source_the_rule_and_the_doubts_and_shows_how_to_classify(joint):
    card = (joint / "README.md").read_text()

    assert f"| made from | {'/'.join(joint.parent.parts[-2:])}/source |" in card  # no more of the path
    assert "| which frames | StrideSampling(num_frames=4, frame_stride=2) |" in card
    assert f"- {DOUBT}\n" in card
    assert 'vidattn.Classifier.from_pretrained("FOLDER")' in card
    assert 'classify("clip.mp4")' in card


def test_a_folder_without_notes_from_an_older_vidattn_is_read(source):
    written = json.loads((source / "config.json").read_text())
    del written["vidattn"]["notes"]
    (source / "config.json").write_text(json.dumps(written))

    assert load(source).report == []


def test_mean_and_std_that_were_assumed_are_said_of_the_folder_too(source, tmp_path):
    model = load(source)
    assumed = "mean and std: assumed 0.45 and 0.225, its Hugging Face folder does not say"
    Pretrained(model.network, model.class_names, model.preprocessing, [assumed]).save_pretrained(tmp_path / "hf")

    main(["convert", str(tmp_path / "hf"), "--out", str(tmp_path / "out")])

    assert load(tmp_path / "out").report == [assumed]


def test_every_example_of_the_help_stands_on_its_own_line(capsys):
    with pytest.raises(SystemExit):
        main(["convert", "--help"])

    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "vidattn convert outputs/run_0 --out my-model" in lines
    assert "vidattn convert TimeSformer_divST_8x32_224_K400.pyth --out k400-joint --attention joint" in lines
    assert "vidattn convert timm/vit_base_patch16_224.augreg_in21k --out inflated --num-frames 16" in lines


def test_a_folder_that_holds_a_model_is_not_written_over_unless_told(source, tmp_path, capsys):
    other = tmp_path / "other"
    small_model("joint").save_pretrained(other)

    with pytest.raises(SystemExit, match="2"):
        main(["convert", str(source), "--out", str(other)])
    assert "holds a model already" in capsys.readouterr().err
    assert load(other).config.attention == "joint"

    main(["convert", str(source), "--out", str(other), "--overwrite"])
    assert load(other).config.attention == "divided"
    assert "**divided** attention" in (other / "README.md").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.ckpt", "--out", "out"], r"nowhere\.ckpt: no such file"),
        (["SOURCE", "--out", "out", "--attention", "jiont"], "did you mean 'joint'"),
        (["SOURCE", "--out", "out", "--image-size", "33"], "nearest sizes are 32 and 40"),
    ],
)
def test_a_mistake_is_one_line(source, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit, match="2"):
        main(["convert", *(str(source) if word == "SOURCE" else word for word in words)])
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(message, line)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("out", ["file", "file/out"])
def test_a_place_that_cannot_be_written_is_said_before_the_weights_are_loaded(tmp_path, capsys, out):
    (tmp_path / "file").write_text("")

    with pytest.raises(SystemExit, match="2"):
        main(["convert", "nowhere.ckpt", "--out", str(tmp_path / out)])
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search("file is a file; name another place for the output", line)


@pytest.mark.parametrize("part", ["config.json", "model.safetensors", "README.md"])
def test_what_the_system_refuses_while_saving_is_a_line(source, tmp_path, capsys, part):
    (tmp_path / "out" / part).mkdir(parents=True)

    with pytest.raises(SystemExit, match="2"):
        main(["convert", str(source), "--out", str(tmp_path / "out"), "--overwrite"])
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(r"vidattn convert: .*out: cannot write it \(.*[Ii]s a directory.*\); name another folder", line)
