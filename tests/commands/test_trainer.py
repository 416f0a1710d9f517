import csv
import json
import math
import os
import re
import warnings

import pytest
import torch
import yaml
from tiny_run import CLASSES, SIZE, SPLITS, add_broken, column, config, write_config, write_set

from vidattn import load
from vidattn.cli import main
from vidattn.commands import trainer
from vidattn.data.clips.dataset import TestViews
from vidattn.data.clips.sampling import StrideSampling
from vidattn.data.videos.manifest import read_manifest
from vidattn.training.video_classifier import VideoClassifier

EMA = {"class_path": "EMAWeightAveraging", "init_args": {"decay": 0.5}}


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("tiny_set"))


@pytest.fixture(scope="module")
def trained(videos, tmp_path_factory):
    """A run with averaged weights, and with a broken video in the training list and in the test list."""
    folder = tmp_path_factory.mktemp("trained")
    values = config(videos, folder)
    values["trainer"]["callbacks"] = [EMA]
    values["data"] |= {"on_error": "skip", "train": str(add_broken(videos, "train", 2))}
    values["data"]["test"] = str(add_broken(videos, "test", 3))
    main(["fit", "--config", str(write_config(folder / "config.yaml", values))])
    return folder / "run_0"


def again(command, trained, *words):
    """The command with the run's own configuration and checkpoint, in a folder of its own."""
    checkpoint = trained / "checkpoints" / "best.ckpt"
    main([command, "--config", str(trained / "config.yaml"), "--ckpt_path", str(checkpoint), *map(str, words)])
    return newest(trained, command)


def newest(trained, command):
    """The folder of the command that ran last."""
    return max(trained.parent.glob(f"{command}_*"), key=lambda path: int(path.name.rpartition("_")[2]))


def refused(capsys, *words):
    """The line that a command leaves with which refuses what its user wants; nothing else is said, no traceback."""
    with pytest.raises(SystemExit) as end:
        main([*map(str, words)])
    assert end.value.code == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith(f"vidattn {words[0]}: ")]
    assert len(said) == 1
    return said[0].removeprefix(f"vidattn {words[0]}: ")


def folders(trained):
    """The folders of all runs beside this one."""
    return sorted(path.name for path in trained.parent.iterdir() if path.is_dir())


def recomputed(trained, videos):
    """The test's scores from the checkpoint, by a plain loop over videos."""
    saved = load(trained / "checkpoints" / "best.ckpt")
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in saved.preprocessing.pixels)
    manifest = read_manifest(videos / "test.csv", class_names=saved.class_names)
    views = TestViews(manifest.videos, StrideSampling(4, 1), num_clips=2, num_crops=3, image_size=SIZE)
    clip_hits, video_hits, losses = [], [], []
    for item in views:
        with torch.no_grad():
            probabilities = saved.network((item["video"] / 255 - mean) / std).softmax(1)
        label = item["label"][0]
        clip_hits += (probabilities.argmax(1) == label).tolist()
        video_hits.append(int(probabilities.mean(0).argmax() == label))
        losses += [-math.log(probability) for probability in probabilities[:, label]]
        if len(video_hits) == len(manifest.videos):
            break
    return {
        "clip_top1": sum(clip_hits) / len(clip_hits),
        "video_top1": sum(video_hits) / len(video_hits),
        "loss": sum(losses) / len(losses),
    }, sum(parameter.numel() for parameter in saved.network.parameters())


def test_the_scorecard_is_true(trained, videos):
    card = json.loads((trained / "scorecard.json").read_text())
    scores, parameters = recomputed(trained, videos)

    assert card["clip_top1"] == pytest.approx(scores["clip_top1"])
    assert card["video_top1"] == pytest.approx(scores["video_top1"])
    assert card["clip_top5"] == card["video_top5"] == 1  # of three classes
    assert column(trained, "test/loss") == pytest.approx([scores["loss"]], abs=1e-5)  # of the averaged weights
    assert (card["videos"], card["videos_evaluated"], card["videos_skipped"]) == (SPLITS["test"] + 1, SPLITS["test"], 1)
    assert card["views"] == "2x3"
    assert card["parameters"] == parameters
    assert card["attention"] == "divided"
    assert card["seed"] == 7
    assert card["clips_per_second"] > 0
    assert card["checkpoint"] == str(trained / "checkpoints" / "best.ckpt")
    assert (trained / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_skipped_videos_of_training_and_test_are_named_in_one_file(trained, videos):
    with (trained / "skipped.csv").open() as stream:
        rows = list(csv.DictReader(stream))

    assert [row["path"] for row in rows] == [str(videos / f"broken_{split}.mp4") for split in ("train", "test")]
    assert all("cannot open it as a video" in row["reason"] for row in rows)


def test_the_run_keeps_its_configuration_and_both_checkpoints(trained):
    kept = yaml.safe_load((trained / "config.yaml").read_text())

    assert kept["model"]["network"]["embed_dim"] == 16
    assert kept["seed_everything"] == 7
    assert sorted(path.name for path in (trained / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]
    assert column(trained, "val/num_videos") == [SPLITS["val"]] * 2


def test_test_repeats_the_test(trained):
    card, first = (json.loads((run / "scorecard.json").read_text()) for run in (again("test", trained), trained))

    for key in card.keys() - {"clips_per_second", "classify"}:
        assert card[key] == first[key]


def test_a_test_of_which_nothing_decodes_still_writes_json(trained, videos, tmp_path):
    (tmp_path / "broken.csv").write_text(f"{videos}/broken_test.mp4,dark\n")

    folder = again("test", trained, "--data.test", tmp_path / "broken.csv")

    card = json.loads((folder / "scorecard.json").read_text(), parse_constant=pytest.fail)
    assert card["video_top1"] is None
    assert card["videos_skipped"] == 1


def test_validate_repeats_the_validation(trained):
    run = again("validate", trained)

    best = min(column(trained, "val/loss"))
    assert column(run, "val/loss") == pytest.approx([best], abs=1e-5)


def test_predict_writes_a_line_for_each_video_of_a_list(trained, videos, tmp_path):
    run = again("predict", trained, "--data.predict", videos / "test.csv")

    with (run / "predictions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    top = [f"{kind}_{i}" for i in range(1, 6) for kind in ("class", "probability")]
    assert list(rows[0]) == ["path", *top]
    assert [row["path"] for row in rows] == [str(videos / f"test{i}.mp4") for i in range(SPLITS["test"])]
    for row in rows:
        assert sorted(row[f"class_{i}"] for i in (1, 2, 3)) == sorted(CLASSES)
        probabilities = [float(row[f"probability_{i}"]) for i in (1, 2, 3)]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        assert not row["class_4"]  # there are three classes


def test_predict_names_the_class_of_a_file_as_the_plain_loop_does(trained, videos, tmp_path):
    again("predict", trained, "--data.predict", videos / "test2.mp4", "--predictions.path", tmp_path / "one.json")
    saved = load(trained / "checkpoints" / "best.ckpt")
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in saved.preprocessing.pixels)
    manifest = read_manifest(videos / "test2.mp4")
    views = TestViews(manifest.videos, StrideSampling(4, 1), num_clips=2, num_crops=3, image_size=SIZE)

    ((row),) = json.loads((tmp_path / "one.json").read_text())

    with torch.no_grad():
        wanted = saved.network((views[0]["video"] / 255 - mean) / std).softmax(1).mean(0)
    assert row["path"] == str(videos / "test2.mp4")
    answers = {answer["class"]: answer["probability"] for answer in row["top"]}
    assert [answers[name] for name in CLASSES] == pytest.approx(wanted.tolist(), abs=1e-5)


def test_a_run_classifies_where_its_lists_are_not_at_hand(trained, videos, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lists = ["--data.train", "set/train.csv", "--data.val", "set/val.csv"]
    folder = again("predict", trained, "--data.predict", videos / "test2.mp4", *lists)
    assert "light" in (folder / "predictions.csv").read_text()

    line = refused(capsys, "test", "--config", trained / "config.yaml", *lists)
    assert line.startswith("data.train: set/train.csv does not exist; ")
    assert line.endswith(f"run vidattn elsewhere than in {tmp_path}, or give the whole path")


def test_predict_takes_a_folder_and_names_what_it_skips(trained, videos, tmp_path, capsys):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("val0.mp4", "val1.mp4", "broken_test.mp4"):
        (folder / name).write_bytes((videos / name).read_bytes())
    out = tmp_path / "new" / "answers.json"

    with pytest.raises(SystemExit) as end:
        again("predict", trained, "--data.predict", folder, "--predictions.path", out, "--predictions.top", 2)

    assert end.value.code == 1
    shown = capsys.readouterr().out
    assert "Answers for 2 of 3 videos are in" in shown
    assert "; skipped 1 video, which could not be read:" in shown
    assert f"{folder / 'broken_test.mp4'}: cannot open it as a video" in shown
    run = newest(trained, "predict")
    rows = json.loads(out.read_text())
    assert [row["path"] for row in rows] == [str(folder / "val0.mp4"), str(folder / "val1.mp4")]
    assert [len(row["top"]) for row in rows] == [2, 2]
    assert str(folder / "broken_test.mp4") in (run / "skipped.csv").read_text()


def test_predict_skips_where_nothing_is_said_of_broken_videos(trained, videos):
    words = ("--data.on_error", "null", "--data.predict", videos / "test_broken.csv")
    with pytest.raises(SystemExit) as end:
        again("predict", trained, *words)

    assert end.value.code == 1
    assert len((newest(trained, "predict") / "predictions.csv").read_text().splitlines()) == 1 + SPLITS["test"]


def test_predict_stops_at_a_broken_video_where_it_is_told_to(trained, videos, capsys):
    words = ("--data.on_error", "raise", "--data.predict", videos / "broken_test.mp4")

    assert "broken_test.mp4: cannot open it as a video" in refused(
        capsys, "predict", "--config", trained / "config.yaml", *words
    )


def test_a_broken_video_stops_the_run_and_is_named(trained, videos, capsys):
    before = folders(trained)
    line = refused(capsys, "test", "--config", trained / "config.yaml", "--data.on_error", "raise")

    assert line.startswith(f"{videos / 'broken_test.mp4'}: cannot open it as a video")
    assert line.endswith("set on_error: skip to go on without such videos")
    assert folders(trained) == before


def test_a_broken_video_in_a_worker_is_named_without_its_traceback(trained, videos, capsys):
    words = ("--data.on_error", "raise", "--data.num_workers", 1)

    assert refused(capsys, "test", "--config", trained / "config.yaml", *words).startswith(
        f"{videos / 'broken_test.mp4'}: cannot open it as a video"
    )


def test_a_mistake_in_a_worker_is_said_in_a_line(videos, tmp_path, capsys):
    values = config(videos, tmp_path)
    crop = {"class_path": "torchvision.transforms.v2.CenterCrop", "init_args": {"size": 16}}
    values["data"] |= {"num_workers": 1, "train_transforms": [crop]}

    line = refused(capsys, "fit", "--config", write_config(tmp_path / "config.yaml", values))

    assert re.fullmatch(r"train_transforms left 3x16x16 but image_size=32 .*; end them with RandomCrop\(32\)", line)


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_the_best_weights_of_the_run_answer_where_no_others_are_named(trained, videos, command):
    main([command, "--config", str(trained / "config.yaml"), "--data.predict", str(videos / "test.csv")])

    kept = yaml.safe_load((newest(trained, command) / "config.yaml").read_text())
    assert kept["ckpt_path"] == str(trained / "checkpoints" / "best.ckpt")


def test_a_resumed_run_answers_with_its_own_best_weights_not_with_those_it_went_on_from(trained, videos, tmp_path):
    values = yaml.safe_load((trained / "config.yaml").read_text())
    values["ckpt_path"] = str(trained / "checkpoints" / "last.ckpt")
    values["trainer"]["default_root_dir"] = str(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoints").symlink_to(trained / "checkpoints")
    path = write_config(tmp_path / "run" / "config.yaml", values)

    main(["predict", "--config", str(path), "--data.predict", str(videos / "test2.mp4")])

    kept = yaml.safe_load((tmp_path / "predict_0" / "config.yaml").read_text())
    assert kept["ckpt_path"] == str(tmp_path / "run" / "checkpoints" / "best.ckpt")


def resume_without_gain(trained, folder, epochs):
    """A run that goes on from `trained`, whose best nothing can beat, to this number of epochs."""
    saved = torch.load(trained / "checkpoints" / "last.ckpt", weights_only=True)
    (state,) = (state for state in saved["callbacks"].values() if state.get("monitor"))
    best = torch.tensor(2.0)
    state |= {"best_model_score": best, "kth_value": best, "best_k_models": {state["best_model_path"]: best}}
    torch.save(saved, folder / "past.ckpt")
    words = [
        "--trainer.max_epochs",
        str(epochs),
        "--trainer.default_root_dir",
        str(folder),
        "--test_after_fit",
        "false",
    ]
    main(["fit", "--config", str(trained / "config.yaml"), "--ckpt_path", str(folder / "past.ckpt"), *words])
    return folder / "run_0"


@pytest.mark.parametrize("epochs", [2, 3])  # the past run has come to its end already, or one epoch is left
def test_a_resumed_run_that_gains_nothing_answers_with_the_best_of_its_past(trained, tmp_path, epochs):
    run = resume_without_gain(trained, tmp_path, epochs)
    best, past = (folder / "checkpoints" / "best.ckpt" for folder in (run, trained))

    main(["test", "--config", str(run / "config.yaml")])

    assert json.loads((tmp_path / "test_0" / "scorecard.json").read_text())["checkpoint"] == str(best)
    assert best.read_bytes() == past.read_bytes()
    assert not best.samefile(past)
    assert load(run).class_names == CLASSES
    if epochs == 3:
        saved = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
        (state,) = (state for state in saved["callbacks"].values() if state.get("monitor"))
        assert (
            list(state["best_k_models"]) == [state["best_model_path"]] == [state["kth_best_model_path"]] == [str(best)]
        )


def test_weights_named_on_the_command_line_answer_under_their_class_names(trained, videos, tmp_path):
    answers = []
    for words in (["--model.weights", trained], ["--ckpt_path", trained / "checkpoints" / "best.ckpt"]):
        out = tmp_path / f"{words[0]}.json"
        files = ["--data.predict", videos / "test2.mp4", "--predictions.path", out]
        main(["predict", "--config", str(trained / "config.yaml"), *map(str, [*words, *files])])
        answers.append(json.loads(out.read_text())[0]["top"])

    for ours, theirs in zip(*answers, strict=True):
        assert ours["class"] == theirs["class"]
        assert ours["probability"] == pytest.approx(theirs["probability"], abs=1e-5)


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_nothing_answers_with_random_weights(videos, tmp_path, capsys, command):
    path = write_config(tmp_path / "config.yaml", config(videos, tmp_path))

    line = refused(capsys, command, "--config", path, "--data.predict", videos / "test2.mp4")

    assert "no weights to answer with; give --ckpt_path" in line


@pytest.mark.parametrize(
    ("command", "word", "file"), [("fit", "last", "last"), ("test", "best", "best"), ("predict", "hpc", "last")]
)
def test_a_word_for_a_checkpoint_does_not_mean_random_weights(videos, tmp_path, capsys, command, word, file):
    path = write_config(tmp_path / "config.yaml", config(videos, tmp_path))

    line = refused(capsys, command, "--config", path, "--ckpt_path", word)

    assert line.startswith(f"ckpt_path={word} names no file")
    assert line.endswith(f"give RUN/checkpoints/{file}.ckpt")
    assert not list(tmp_path.glob("*_0"))


def test_classes_without_a_name_are_not_answered_by_number(trained, videos, tmp_path, capsys):
    weights = load(trained)
    weights.class_names = []
    weights.save_pretrained(tmp_path / "nameless")
    values = config(videos, tmp_path / "out")
    values["data"] |= {"train": None, "val": None, "test": None, "predict": str(videos / "test2.mp4")}
    path = write_config(tmp_path / "config.yaml", values)

    line = refused(capsys, "predict", "--config", path, "--model.weights", tmp_path / "nameless")

    assert "no classes are known: set data.class_names" in line


MISTAKES = {
    "missing checkpoint": (
        ["--ckpt_path", "{run}/checkpoints/bset.ckpt"],
        r"bset\.ckpt does not exist; did you mean \S*best",
    ),
    "missing folder": (["--ckpt_path", "gone/best.ckpt"], r"gone/best\.ckpt does not exist; nor does its folder gone"),
    "a run for a checkpoint": (["--ckpt_path", "{run}"], r"is a folder; give .*checkpoints/best\.ckpt"),
    "not a checkpoint": (["--ckpt_path", "{videos}/test.csv"], r"test\.csv: is no checkpoint; wanted a \.safetensors"),
    "weights for a checkpoint": (
        ["--ckpt_path", "{made}/weights.pth"],
        r"no checkpoint of vidattn fit; .*model\.weights",
    ),
    "code for a checkpoint": (
        ["--ckpt_path", "{made}/code.ckpt"],
        r"holds Python objects or code \(.*system\), which is never unpickled",
    ),
    "missing video": (["--data.predict", "{videos}/tset2.mp4"], r"tset2\.mp4 does not exist"),
    "empty folder": (["--data.predict", "{made}/empty"], r"empty holds no videos"),
    "no video": (["--data.predict", "null"], r"data\.predict is not set"),
    "another kind of file": (["--predictions.path", "one.txt"], r"'one\.txt' must end in \.csv or \.json"),
    "a folder for a file": (
        ["--predictions.path", "{made}/folder.csv"],
        r"folder\.csv is a folder; name another place",
    ),
    "a folder that cannot be made": (
        ["--predictions.path", "{videos}/test.csv/one.csv"],
        r"/test\.csv is a file; name",
    ),
    "no class to list": (["--predictions.top", "0"], r"predictions\.top=0: wanted at least one class"),
    "unknown key": (["--data.pedict", "a.mp4"], r"unrecognized arguments: --data\.pedict"),
    "checkpoint cut short": (["--ckpt", "{run}/checkpoints/last.ckpt"], r"unrecognized arguments: --ckpt"),
    "weights cut short": (["--model.weight", "nothere"], r"unrecognized arguments: --model\.weight"),
    "another network": (
        ["--ckpt_path", "{run}/checkpoints/best.ckpt", "--model.network.embed_dim", "32"],
        r"the checkpoint is of a network with embed_dim=16 \(here 32\); give its RUN/config\.yaml",
    ),
    "another scheme": (["--model.network.attention", "joint"], r"a network with attention='divided' \(here 'joint'\);"),
    "no checkpoints": (["--trainer.enable_checkpointing", "false"], r"is not supported; leave it out"),
    "a folder below a file": (
        ["--trainer.default_root_dir", "{videos}/test.csv/out"],
        r"default_root_dir=.*test\.csv/out: cannot make a folder there \(Not a directory\)",
    ),
    "missing configuration": (["--config", "gone.yaml"], r"File does not exist: .*gone\.yaml"),
}


class Code:
    """What runs a command when it is unpickled."""

    def __reduce__(self):
        return os.system, ("true",)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    (folder / "empty").mkdir()
    (folder / "folder.csv").mkdir()
    torch.save({"state_dict": {}, "code": Code()}, folder / "code.ckpt")
    torch.save({"weight": torch.zeros(2)}, folder / "weights.pth")
    return folder


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_said_in_a_line_and_leaves_no_folder(trained, videos, made, capsys, mistake):
    words, message = MISTAKES[mistake]
    words = [word.format(run=trained, videos=videos, made=made) for word in words]
    before = folders(trained)

    line = refused(
        capsys, "predict", "--config", trained / "config.yaml", "--data.predict", videos / "test2.mp4", *words
    )

    assert re.search(message, line)
    assert folders(trained) == before


@pytest.mark.parametrize("written", ["WarmupCosin", "vidattn.training.WarmupCosin"])
def test_a_misspelt_class_is_answered_with_the_nearest(videos, tmp_path, capsys, written):
    path = write_config(tmp_path / "config.yaml", config(videos, tmp_path))

    with pytest.raises(SystemExit):
        main(["fit", "--config", str(path), "--model.schedule", written])

    assert capsys.readouterr().err.endswith("; did you mean 'WarmupCosine'?\n")


def test_an_error_of_the_program_keeps_its_traceback(trained, videos, monkeypatch):
    def broken(*_):
        return int("no number")

    monkeypatch.setattr(VideoClassifier, "predict_step", broken)
    with pytest.raises(ValueError, match="invalid literal for int"):
        again("predict", trained, "--data.predict", videos / "test2.mp4")


def test_the_next_command_after_training_is_short_and_works(trained, videos, capsys):
    command = json.loads((trained / "scorecard.json").read_text())["classify"]
    assert command == f"vidattn classify VIDEO --weights {trained}"

    main(command.replace("VIDEO", str(videos / "test2.mp4")).split()[1:])

    assert "light" in capsys.readouterr().out


def test_a_folder_per_class_trains(videos, tmp_path):
    for split in ("train", "val"):
        for number in range(6):
            folder = tmp_path / split / CLASSES[number % 3]
            folder.mkdir(parents=True, exist_ok=True)
            name = f"train{number}.mp4"
            (folder / name).write_bytes((videos / name).read_bytes())
    values = config(videos, tmp_path / "out")
    values["data"] |= {"train": str(tmp_path / "train"), "val": str(tmp_path / "val"), "test": None}
    values["trainer"] |= {"max_epochs": 1, "logger": False, "enable_progress_bar": True}

    main(["fit", "--config", str(write_config(tmp_path / "config.yaml", values))])

    saved = load(next(tmp_path.glob("out/**/last.ckpt")))
    assert saved.class_names == CLASSES


def test_training_without_validation_keeps_the_last_checkpoint(videos, tmp_path):
    values = config(videos, tmp_path)
    values["data"] |= {"val": None}
    values["trainer"]["max_epochs"] = 1

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        main(["fit", "--config", str(write_config(tmp_path / "config.yaml", values))])

    said = [str(one.message) for one in warned]
    assert not [message for message in said if "across ranks is zero" in message or "monitored key" in message]
    last = tmp_path / "run_0" / "checkpoints" / "last.ckpt"
    assert last.exists()
    assert json.loads((tmp_path / "run_0" / "scorecard.json").read_text())["checkpoint"] == str(last)  # and tests it


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("train", r"data\.train=.*has no labels, and training needs them; give a folder for each class"),
        ("val", r"data\.val=.*has no labels, so nothing can be scored; give a list with labels, or data\.val=null"),
        ("test", r"data\.test=.*has no labels, so nothing can be scored"),
    ],
)
def test_a_list_without_labels_is_refused_before_the_training(videos, tmp_path, capsys, split, message):
    values = config(videos, tmp_path)
    values["data"][split] = str(tmp_path / "unlabelled.txt")
    (tmp_path / "unlabelled.txt").write_text("".join(f"{video}\n" for video in videos.glob("*.mp4")))

    line = refused(capsys, "fit", "--config", write_config(tmp_path / "config.yaml", values))

    assert re.match(message, line)
    assert not list(tmp_path.glob("run_*"))


def test_a_trial_run_of_one_batch_ends_with_its_test(videos, tmp_path, capsys):
    values = config(videos, tmp_path)

    main(["fit", "--config", str(write_config(tmp_path / "config.yaml", values)), "--trainer.fast_dev_run", "true"])

    assert "Scorecard" in capsys.readouterr().out


def test_a_training_that_diverges_says_so_in_a_line(videos, tmp_path, capsys):
    path = write_config(tmp_path / "config.yaml", config(videos, tmp_path))

    line = refused(capsys, "fit", "--config", path, "--model.optimizer.lr", "1e30")

    assert re.match(r"the loss is nan at step 2 \(epoch 0\); clips: .*\. Lower the learning rate", line)


def test_a_training_that_is_to_write_no_checkpoints_is_tested_with_what_it_ends_with(videos, tmp_path):
    path = write_config(tmp_path / "config.yaml", config(videos, tmp_path))
    words = ["--trainer.max_epochs", "1", "--checkpoint.save_top_k", "0", "--last_checkpoint.save_top_k", "0"]

    main(["fit", "--config", str(path), *words])

    assert not list(tmp_path.rglob("*.ckpt"))
    assert json.loads((tmp_path / "run_0" / "scorecard.json").read_text())["checkpoint"] is None


def test_the_wrong_number_of_classes_is_said_with_the_next_move(videos, tmp_path, capsys):
    values = config(videos, tmp_path)
    values["model"]["network"]["num_classes"] = 7

    line = refused(capsys, "fit", "--config", write_config(tmp_path / "config.yaml", values))

    assert line == "the data has 3 classes but num_classes=7; set --model.network.num_classes 3"
    assert not list(tmp_path.glob("run_*"))


def test_weights_without_a_head_for_these_classes_do_not_answer(trained, videos, tmp_path, capsys):
    values = yaml.safe_load((trained / "config.yaml").read_text())
    values["trainer"]["default_root_dir"] = str(tmp_path)
    values["ckpt_path"] = None
    values["model"]["weights"] = str(tmp_path / "five")
    load(trained, num_classes=5).save_pretrained(tmp_path / "five")
    copied = write_config(tmp_path / "copied.yaml", values)  # without the run's checkpoints beside it

    for command in ("predict", "test"):
        line = refused(capsys, command, "--config", copied, "--data.predict", videos / "test2.mp4")

        assert "the weights have no head for these classes, so answers would be random" in line


def test_weights_under_names_in_another_order_are_scored_by_name(trained, videos, tmp_path):
    names = load(trained).class_names
    (tmp_path / "names.txt").write_text("".join(f"{name}\n" for name in reversed(names)))
    before = json.loads((trained / "scorecard.json").read_text())

    words = ["--data.class_names", tmp_path / "names.txt", "--model.weights", trained]
    main(list(map(str, ["test", "--config", trained / "config.yaml", *words])))

    newest = max(trained.parent.glob("test_*"), key=lambda folder: int(folder.name.rpartition("_")[2]))
    again = json.loads((newest / "scorecard.json").read_text())
    assert again["video_top1"] == before["video_top1"]


def test_too_few_files_for_the_workers_end_in_a_line(monkeypatch, capsys):
    def meet_the_limit(*_):
        raise RuntimeError("Too many open files. Communication with the workers is no longer possible. Please ...")

    monkeypatch.setattr(trainer, "TrainerCLI", meet_the_limit)
    with pytest.raises(SystemExit) as exit:
        main(["fit"])
    assert exit.value.code == 2
    assert "vidattn fit: too many open files, which what data workers hand on needs; allow" in capsys.readouterr().err
