import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from foreseen import PREPROCESSING, plain_video, write_checkpoint

from vidattn import Classifier, load
from vidattn.calibration.calibration import NONE, Threshold
from vidattn.calibration.reliability import reliability
from vidattn.checkpoints.files import read_weights as kept
from vidattn.cli import main
from vidattn.models.config import VideoTransformerConfig
from vidattn.training.video_classifier import VideoClassifier

NAMES = ("run", "jump & land", "sit")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Plain videos, of which `val.csv` says the network's classes, and `other` holds others."""
    folder = tmp_path_factory.mktemp("videos")
    (folder / "other").mkdir()
    for place in range(12):
        plain_video(folder / f"{place}.mp4", [20 * place + 10] * 10)
    for place in range(4):
        plain_video(folder / "other" / f"{place}.mp4", [60 * place + 5] * 10)
    rows = [f"{place}.mp4,{NAMES[place % 3]}" for place in range(12)]
    (folder / "val.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def run(tmp_path):
    """A run's folder, whose checkpoint holds more than the network."""
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    path = write_checkpoint(tmp_path / "run" / "checkpoints" / "best.ckpt")
    found = torch.load(path, weights_only=True)
    torch.save(found | {"epoch": 3, "optimizer_states": [{"state": {0: {"step": torch.tensor(7.0)}}}]}, path)
    return tmp_path / "run"


def refused(words, capsys):
    """What a command says that ends with status 2."""
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    assert end.value.code == 2
    return capsys.readouterr().err


def test_the_temperature_is_kept_in_the_run_and_answers_by_it(run, videos, capsys):
    checkpoint = run / "checkpoints" / "best.ckpt"
    before = torch.load(checkpoint, weights_only=True)
    main(["calibrate", str(run), "--val", str(videos / "val.csv"), "--batch-size", "5"])

    after = torch.load(checkpoint, weights_only=True)
    stored = after["vidattn"].pop("calibration")
    assert after.pop("state_dict").keys() == before.pop("state_dict").keys()
    assert after == before  # the optimizer's state and all else
    classifier = Classifier.from_pretrained(run)
    clip = classifier.views(videos / "3.mp4").video
    wanted = (classifier.logits(clip) / stored["temperature"]).softmax(-1)[0]
    np.testing.assert_allclose(classifier(videos / "3.mp4").probabilities, wanted, atol=1e-6)
    np.testing.assert_allclose(load(run).probabilities(classifier.logits(clip))[0], wanted, atol=1e-6)
    said = json.loads((run / "calibration.json").read_text())
    assert said["temperature"] == stored["temperature"]
    assert said["videos"] == 12
    assert (run / "reliability.png").read_bytes().startswith(b"\x89PNG")
    assert "kept in" in capsys.readouterr().out
    _check_task(checkpoint)


def _check_task(checkpoint):
    """A task with the calibrated weights answers by them, until it trains."""
    saved = torch.load(checkpoint, weights_only=True)
    task = VideoClassifier(VideoTransformerConfig(**saved["vidattn"]["network"])).eval()
    task.load_state_dict(saved["state_dict"])
    task.on_load_checkpoint(saved)
    clip = torch.randint(0, 256, (1, 3, 4, 32, 32), dtype=torch.uint8)
    raw = task.network(task.normalize(clip))
    torch.testing.assert_close(task(clip), raw / saved["vidattn"]["calibration"]["temperature"])
    task.class_names, outputs = list(NAMES), {"path": ["a.mp4"], "probabilities": torch.tensor([[0.4, 0.35, 0.25]])}
    assert "answer" not in task.answers(outputs, 2)[0]
    task.calibration = replace(task.calibration, threshold=Threshold(0.5, 0.05, 40))
    assert task.answers(outputs, 2)[0]["answer"] == NONE
    task.on_train_start()
    torch.testing.assert_close(task(clip), raw)


def _check_timeline(classifier):
    least = classifier.calibration.threshold.least
    frames = np.concatenate([np.full((20, 32, 32, 3), level, np.uint8) for level in (5, 250, 90, 130)])
    timeline = classifier.timeline(frames, window=1, step=0.5, fps=10)
    below = timeline.probabilities.max(1) < least
    assert 0 < below.sum() < len(below)
    assert {segment.name for segment in timeline.segments} >= {NONE}
    assert sum(one.end - one.start for one in timeline.segments if one.name == NONE) < timeline.duration
    assert timeline.notes[0] == classifier.calibration.threshold.words
    timeline.plot().draw_without_rendering()


def test_below_the_threshold_the_answer_is_none_of_these(run, videos, tmp_path, capsys):
    words = ["--val", videos / "val.csv", "--other", videos / "other", "--false-alarms", 0.2]
    main(["calibrate", str(run), *map(str, words)])

    classifier = Classifier.from_pretrained(run)
    threshold = classifier.calibration.threshold
    answers = classifier([*sorted((videos / "other").iterdir()), videos / "0.mp4"], progress=False)
    highest = [answer.probabilities.max() for answer in answers]
    assert [answer.name == NONE for answer in answers] == [one < threshold.least for one in highest]
    assert [answer.name for answer in answers][:4] == [NONE] * 4  # 0.2 of 5 is the new one itself
    assert f"no class reaches {threshold.least:.1%}, as 20.0% of clips of other classes do" in str(answers[0])
    assert NONE in answers._repr_html_()
    assert json.loads(answers.to_json())[0]["answer"] == NONE
    answers.save(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open() as stream:
        assert [row["answer"] for row in csv.DictReader(stream)] == [answer.name for answer in answers]
    _check_timeline(classifier)
    assert "0.0% of 4 videos of other classes do (wanted 20.0%)" in " ".join(capsys.readouterr().out.split())


def test_a_folder_holds_it_and_another_network_does_not(run, videos, tmp_path):
    main(["calibrate", str(run), "--val", str(videos / "val.csv"), "--out", str(tmp_path / "model")])

    assert "calibration" not in torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["vidattn"]
    model = load(tmp_path / "model")
    assert model.calibration.temperature != 1
    card = (tmp_path / "model" / "README.md").read_text()
    assert f"| probabilities | of logits / {model.calibration.temperature:.3f}, as measured" in card
    assert load(tmp_path / "model" / "model.safetensors").calibration == model.calibration
    changed = load(tmp_path / "model", attention="joint")
    assert changed.calibration.temperature == 1
    assert any("calibration: left out" in line for line in changed.report)
    with torch.no_grad():
        model.network.head.weight.mul_(2)
    model.save_pretrained(tmp_path / "trained")
    assert load(tmp_path / "trained").calibration.temperature == 1
    assert "| probabilities |" not in (tmp_path / "trained" / "README.md").read_text()

    main(["calibrate", str(tmp_path / "model"), "--val", str(videos / "val.csv")])  # in place, once more
    again = load(tmp_path / "model")
    assert again.calibration.temperature == pytest.approx(model.calibration.temperature)
    assert load(tmp_path / "model" / "model.safetensors").calibration == again.calibration


def test_what_is_measured_are_answers_over_the_views_that_are_asked_for(run, videos, tmp_path):
    for place in range(12):  # each begins dark and ends light, so that its clips differ
        plain_video(tmp_path / f"{place}.mp4", [10 * place + 5 * step for step in range(24)])
    (tmp_path / "val.csv").write_text("\n".join(f"{place}.mp4,{NAMES[place % 3]}" for place in range(12)) + "\n")
    raw = Classifier.from_pretrained(run, num_clips=3)

    main(["calibrate", str(run), "--val", str(tmp_path / "val.csv"), "--num-clips", "3"])

    answers = np.stack([raw(tmp_path / f"{place}.mp4").probabilities for place in range(12)])
    wanted = reliability(answers.max(1), answers.argmax(1) == np.arange(12) % 3).error
    said = json.loads((run / "calibration.json").read_text())
    assert said["before"]["calibration_error"] == pytest.approx(wanted, abs=1e-5)
    same, other = Classifier.from_pretrained(run, num_clips=3), Classifier.from_pretrained(run)
    assert same.calibration.views == 3
    assert not any("calibrated" in note for note in same.notes)
    assert any("calibrated as means over 3 views of a video, and these are over 1;" in note for note in other.notes)


@pytest.mark.parametrize("out", [[], ["--out", "model"]])
def test_weights_are_read_once_and_once_more_only_to_be_written_back(run, videos, tmp_path, monkeypatch, out):
    reads = []
    for module in ("read", "amending"):
        monkeypatch.setattr(f"vidattn.checkpoints.{module}.read_weights", lambda file: reads.append(file) or kept(file))
    monkeypatch.chdir(tmp_path)
    main(["calibrate", str(run), "--val", str(videos / "val.csv"), "--precision", "bf16", *out])
    assert len(reads) == (1 if out else 2)
    model = load("model" if out else run)
    assert model.calibration.temperature != 1
    raw = load(run).network.state_dict()
    for name, value in model.network.state_dict().items():
        assert torch.equal(value, raw[name]), name  # as they were, not in bf16


def test_an_exported_file_is_refused(videos, tmp_path, capsys):
    words = ["calibrate", "model.onnx", "--val", videos / "val.csv", "--out", tmp_path / "model"]
    assert "model.onnx: an exported file, with its temperature in the graph" in refused(words, capsys)


def test_several_labels_get_a_bias(videos, tmp_path):
    path = write_checkpoint(tmp_path / "several.ckpt", preprocessing=replace(PREPROCESSING, multi_label=True))
    rows = [f"{place}.mp4,{place % 3} {(place + 1) % 3}" for place in range(12)]
    (videos / "several.txt").write_text("\n".join(row.replace(",", " ") for row in rows) + "\n")
    (tmp_path / "names.txt").write_text("\n".join(NAMES) + "\n")

    main(["calibrate", str(path), "--val", str(videos / "several.txt"), "--class-names", str(tmp_path / "names.txt")])

    classifier = Classifier.from_pretrained(path)
    known, clip = classifier.calibration, classifier.views(videos / "3.mp4").video
    assert known.bias
    wanted = (classifier.logits(clip) / known.temperature + known.bias).sigmoid()
    np.testing.assert_allclose(classifier.probabilities(clip), wanted, atol=1e-6)


def test_what_cannot_be_measured_is_refused_and_nothing_is_written(run, videos, tmp_path, capsys):
    before = (run / "checkpoints" / "best.ckpt").read_bytes()
    (tmp_path / "strange.csv").write_text(f"{videos}/0.mp4,swim\n{videos}/1.mp4,run\n")
    (tmp_path / "one.csv").write_text(f"{videos}/0.mp4,run\n")
    (tmp_path / "unlabelled.csv").write_text(f"{videos}/0.mp4\n{videos}/1.mp4\n")
    torch.save({"model_state": {}}, tmp_path / "foreign.pyth")
    good = ["--val", videos / "val.csv"]
    for words, message in (
        (["--val", tmp_path / "strange.csv"], "swim"),
        (["--val", tmp_path / "one.csv"], "1 validation videos tell no temperature"),
        (["--val", tmp_path / "unlabelled.csv"], "names no classes"),
        (["--val", tmp_path / "nowhere.csv"], "nowhere.csv"),
        ([*good, "--other", tmp_path / "strange.csv"], "'run' is a class of the network"),
        ([*good, "--other", videos / "other"], r"wanted 19 clips or more"),
        ([*good, "--false-alarms", 0.1], "give them too: --other LIST"),
    ):
        assert message in refused(["calibrate", run, *words], capsys)
    assert "--out FOLDER" in refused(["calibrate", tmp_path / "foreign.pyth", *good], capsys)
    assert "no file or folder here" in refused(["calibrate", "somebody/model", *good], capsys)
    assert (run / "checkpoints" / "best.ckpt").read_bytes() == before
    assert sorted(path.name for path in run.iterdir()) == ["checkpoints"]
