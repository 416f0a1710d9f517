"""Lists that count the classes in another way than the run whose weights are used."""

import json

import pytest
import pytorch_lightning as pl
from tiny_run import CLASSES, SPLITS, config, write_config

from vidattn import load
from vidattn.cli import main
from vidattn.data.clips.sampling import UniformSampling
from vidattn.data.datamodule import VideoDataModule
from vidattn.training.video_classifier import VideoClassifier


@pytest.fixture(scope="module")
def run(tiny_set, tmp_path_factory):
    """The folder of a short run."""
    folder = tmp_path_factory.mktemp("run")
    values = config(tiny_set, folder)
    values["trainer"]["max_epochs"] = 8
    values["data"]["num_test_crops"] = 1
    main(["fit", "--config", str(write_config(folder / "c.yaml", values))])
    return folder / "run_0"


def answered(run, tmp_path, *words):
    """The scorecard of a test of the run's weights."""
    main(["test", "--config", str(run / "config.yaml"), "--trainer.default_root_dir", str(tmp_path), *words])
    return json.loads((tmp_path / "test_0" / "scorecard.json").read_text())


def rows(label_of, numbers=range(SPLITS["test"])):
    """Rows of the test list, with a label for each class; the second video has a wrong one."""
    return "".join(f"test{number}.mp4,{label_of[0 if number == 1 else number % 3]}\n" for number in numbers)


def test_names_may_be_fewer_and_in_any_order(run, tiny_set, tmp_path, recwarn):
    (tiny_set / "part.csv").write_text(rows(CLASSES, [0, 2, 3, 5, 6]))

    words = ["--data.train", "null", "--data.val", "null", "--data.test", str(tiny_set / "part.csv")]
    card = answered(run, tmp_path, *words)

    assert card["videos_evaluated"] == 5
    assert card["video_top1"] == answered(run, tmp_path / "b", "--data.test", str(tiny_set / "part.csv"))["video_top1"]
    assert any("2 of the checkpoint's 3 classes have videos, not grey" in str(one.message) for one in recwarn)


def test_names_of_the_checkpoint_count_under_a_trainer_of_ones_own_too(run, tiny_set, tmp_path, recwarn):
    (tiny_set / "turned.csv").write_text(rows(CLASSES, [2, 0, 3, 5, 6]))  # "light" is the first that this list names
    data = VideoDataModule(
        UniformSampling(4), test=str(tiny_set / "turned.csv"), image_size=32, num_test_crops=1, num_workers=0
    )
    task = VideoClassifier(load(run).config, weights=str(run))
    options = {"logger": False, "accelerator": "cpu", "enable_progress_bar": False, "default_root_dir": tmp_path}

    (scores,) = pl.Trainer(**options).test(task, data, verbose=False)

    assert task.class_names == CLASSES
    words = ["--data.train", "null", "--data.val", "null", "--data.test", str(tiny_set / "turned.csv")]
    assert scores["test/video_top1"] == pytest.approx(answered(run, tmp_path, *words)["video_top1"])
    assert any("2 of the checkpoint's 3 classes have videos, not grey" in str(one.message) for one in recwarn)


def test_numbers_count_the_names_that_are_given_for_their_list(run, tiny_set, tmp_path):
    order = CLASSES[::-1]
    (tiny_set / "numbers.csv").write_text(rows([order.index(name) for name in CLASSES]))
    words = ["--data.train", "null", "--data.val", "null", "--data.test", str(tiny_set / "numbers.csv")]

    card = answered(run, tmp_path, *words, "--data.class_names", json.dumps(order))

    assert card["video_top1"] == json.loads((run / "scorecard.json").read_text())["video_top1"]


def test_numbers_without_names_are_refused_beside_names(run, tiny_set, tmp_path, capsys):
    (tiny_set / "bare.csv").write_text(rows([0, 1, 2]))

    with pytest.raises(SystemExit):
        answered(run, tmp_path, "--data.train", "null", "--data.val", "null", "--data.test", str(tiny_set / "bare.csv"))

    assert "set data.class_names to the names in the order in which this list numbers them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "said"),
    [(CLASSES[::-1], "head: rearranged by name"), (["a", "b", "c"], "head: starts anew, the weights have 0 of the 3")],
)
def test_the_head_of_weights_to_start_from_is_put_in_order_and_said(run, tiny_set, tmp_path, caplog, names, said):
    values = config(tiny_set, tmp_path)
    values["trainer"]["max_epochs"] = 1
    values["model"]["weights"] = str(run / "checkpoints" / "best.ckpt")
    values["model"]["optimizer"]["init_args"]["lr"] = 0.0
    values["data"] |= {"class_names": names, "num_test_crops": 1}
    for split, count in SPLITS.items():
        label_of = CLASSES if set(names) == set(CLASSES) else names
        lines = (f"{split}{n}.mp4,{label_of[0 if (split, n) == ('test', 1) else n % 3]}\n" for n in range(count))
        (tiny_set / f"{names[0]}_{split}.csv").write_text("".join(lines))
        values["data"][split] = str(tiny_set / f"{names[0]}_{split}.csv")

    with caplog.at_level("INFO"):
        main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values))])

    assert said in caplog.text
    if "rearranged" in said:  # nothing is learnt at this rate
        before, after = (json.loads((one / "scorecard.json").read_text()) for one in (run, tmp_path / "run_0"))
        assert after["video_top1"] == before["video_top1"]
