"""A task of a user's own arrives as a file: trained from YAML, resumed, on two processes, tested, refused kindly."""

import json

import pytest
import torch
import yaml
from own_task import Direction
from tiny_run import column, config, write_config

from vidattn import load
from vidattn.cli import main

pytestmark = pytest.mark.usefixtures("one_thread")
CLASS = f"{Direction.__module__}.{Direction.__qualname__}"


def own_config(tiny_set, folder, processes=1, strategy="auto", **trainer):
    values = config(tiny_set, folder)
    values["trainer"] |= {"devices": processes, "strategy": strategy, **trainer}
    values["model"] = {"class_path": CLASS, "init_args": values["model"]}
    values["data"]["batch_size"] = 4 // processes
    values["data"]["eval_batch_size"] = 1
    return write_config(folder / "config.yaml", values)


@pytest.fixture(scope="module")
def one(tiny_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    main(["fit", "--config", str(own_config(tiny_set, folder))])
    return folder / "run_0"


def test_it_trains_from_yaml_keeps_its_best_and_is_tested(one):
    right = column(one, "val/right")
    assert len(right) == 2
    (state,) = (
        state
        for state in torch.load(one / "checkpoints" / "last.ckpt", weights_only=True)["callbacks"].values()
        if state.get("monitor")
    )
    assert state["monitor"] == "val/right"
    assert state["best_model_score"] == max(right)
    card = json.loads((one / "scorecard.json").read_text())
    assert card["right"] == pytest.approx(column(one, "test/right")[0])
    assert card["videos"] == 8
    assert yaml.safe_load((one / "config.yaml").read_text())["model"]["class_path"] == CLASS


def test_its_network_is_read_like_any_other(one):
    loaded = load(one)
    assert loaded.config.num_classes == 2
    assert loaded.class_names == []
    assert loaded.preprocessing


def test_it_is_tested_again_by_its_configuration_and_does_not_predict(one, tiny_set, capsys):
    main(["test", "--config", str(one / "config.yaml")])
    again = json.loads((one.parent / "test_0" / "scorecard.json").read_text())
    assert again["right"] == json.loads((one / "scorecard.json").read_text())["right"]

    with pytest.raises(SystemExit) as end:
        main(["predict", "--config", str(one / "config.yaml"), "--data.predict", str(tiny_set / "test.csv")])
    assert end.value.code == 2
    assert "vidattn predict: Direction has no predict_step; vidattn predict is not for it" in capsys.readouterr().err


def test_it_resumes_to_the_same_end_and_does_on_two_processes_what_it_does_on_one(one, tiny_set, tmp_path, pair):
    two = own_config(tiny_set, tmp_path, 2, "ddp")
    every = ("--last_checkpoint.filename", "{epoch}", "--last_checkpoint.save_top_k", "-1", "--test_after_fit", "false")
    pair.run("fit", "--config", two, *every)
    first = tmp_path / "run_0" / "checkpoints" / "epoch=0.ckpt"
    pair.run("fit", "--config", two, "--ckpt_path", first, "--test_after_fit", "false")

    ours, theirs = (
        torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for folder in (tmp_path / "run_1", one)
    )
    for name, weights in theirs.items():
        torch.testing.assert_close(ours[name], weights, atol=1e-3, rtol=0, msg=name)


def test_its_lists_need_no_labels(tiny_set, tmp_path):
    values = yaml.safe_load(own_config(tiny_set, tmp_path).read_text())
    for split in ("train", "val", "test"):
        names = [line.partition(",")[0] for line in (tiny_set / f"{split}.csv").read_text().splitlines()]
        (tmp_path / f"{split}.csv").write_text("".join(f"{tiny_set / name}\n" for name in names))
        values["data"][split] = str(tmp_path / f"{split}.csv")
    main(["fit", "--config", str(write_config(tmp_path / "config.yaml", values)), "--trainer.max_epochs", "1"])

    assert len(column(tmp_path / "run_0", "val/right")) == 1
    card = json.loads((tmp_path / "run_0" / "scorecard.json").read_text())
    assert card["videos"] == 8
    assert 0 <= card["right"] <= 1


def test_a_flat_word_on_the_command_line_reaches_the_task(tiny_set, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--config", str(own_config(tiny_set, tmp_path)), "--model.network.depth", "1", "--print_config"])
    assert yaml.safe_load(capsys.readouterr().out)["model"]["init_args"]["network"]["depth"] == 1
