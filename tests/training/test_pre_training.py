"""A pre-training as people run it: from YAML, resumed, on two processes, watched, and fine-tuned from."""

import json

import pytest
import torch
import yaml
from PIL import Image
from tiny_run import FSDP2, column, config, half_broken, write_config

from vidattn import load
from vidattn.cli import main

pytestmark = pytest.mark.usefixtures("one_thread")


def pre_training(tiny_set, folder, task="vidattn.MaskedAutoencoder", processes=1, strategy="auto", **network):
    values = config(tiny_set, folder)
    values["trainer"] |= {"devices": processes, "strategy": strategy}
    values["model"]["network"] |= network
    arguments = values["model"] | {
        "mask": {"class_path": "vidattn.models.TubeMask", "init_args": {"ratio": 0.75}},
    }
    if task == "vidattn.MaskedAutoencoder":
        arguments["decoder"] = {"embed_dim": 16, "depth": 1, "num_heads": 2}
    values["model"] = {"class_path": task, "init_args": arguments}
    values["data"] |= {"batch_size": 4 // processes, "eval_batch_size": 1, "num_test_clips": 1, "num_test_crops": 1}
    return write_config(folder / "config.yaml", values)


@pytest.fixture(scope="module")
def one(tiny_set, tmp_path_factory):
    """The folder of a short pre-training on one process."""
    folder = tmp_path_factory.mktemp("mae")
    main(["fit", "--config", str(pre_training(tiny_set, folder))])
    return folder / "run_0"


def test_it_is_watched_while_it_runs(one):
    assert len(column(one, "val/loss")) == 2
    assert all(share > 0 for share in column(one, "val/share"))
    assert all(0 < spread < 1 for spread in column(one, "val/spread"))
    assert json.loads((one / "scorecard.json").read_text())["loss"] == pytest.approx(column(one, "test/loss")[0])
    with Image.open(one / "reconstructions" / "epoch_001.png") as picture:
        assert min(picture.size) > 200
    assert len(list((one / "reconstructions").iterdir())) == 2


def test_its_network_is_loaded_without_the_head_that_nobody_trained(one):
    state = torch.load(one / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert "decoder.mask_token" in state
    loaded = load(one)
    assert loaded.head_is_fresh
    assert not torch.equal(loaded.network.head.weight, state["network.head.weight"])
    assert torch.equal(loaded.network.norm.weight, state["network.norm.weight"])


def test_a_fine_tuning_starts_from_it_with_a_fresh_head(one, tiny_set, tmp_path, caplog):
    values = config(tiny_set, tmp_path)
    values["model"]["weights"] = str(one)
    values["trainer"]["max_epochs"] = 1
    values["model"]["optimizer"]["init_args"]["lr"] = 0.0
    with caplog.at_level("INFO"):
        main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values))])
    assert "head: reset, none -> 3" in caplog.text

    before, after = (load(folder).network.state_dict() for folder in (one, tmp_path / "run_0"))
    for name, value in after.items():
        if not name.startswith("head."):
            assert torch.equal(value, before[name]), name
    assert load(one).preprocessing.mean == pytest.approx([0.485, 0.456, 0.406])


def test_vidattn_convert_takes_it(one, tmp_path):
    main(["convert", str(one), "--out", str(tmp_path / "shared")])
    shared = load(tmp_path / "shared")
    assert shared.head_is_fresh
    assert torch.equal(shared.network.prefix, load(one).network.prefix)


def test_continued_pre_training_takes_the_decoder_as_well(one, tiny_set, tmp_path):
    values = yaml.safe_load(pre_training(tiny_set, tmp_path).read_text())
    values["model"]["init_args"] |= {"weights": str(one)}
    values["model"]["init_args"]["optimizer"]["init_args"]["lr"] = 0.0
    values["trainer"]["max_epochs"] = 1
    main(["fit", "--config", str(write_config(tmp_path / "config.yaml", values))])

    before, after = (
        torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
        for folder in (one, tmp_path / "run_0")
    )
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert torch.equal(value, after[name]), name
    assert column(tmp_path / "run_0", "test/loss") == pytest.approx(column(one, "test/loss"), rel=1e-5)


def test_a_resumed_run_ends_as_one_that_was_never_interrupted(one, tiny_set, tmp_path):
    made = pre_training(tiny_set, tmp_path)
    words = ["--test_after_fit", "false", "--last_checkpoint.filename", "{epoch}", "--last_checkpoint.save_top_k", "-1"]
    main(["fit", "--config", str(made), *words])
    first = tmp_path / "run_0" / "checkpoints" / "epoch=0.ckpt"
    main(["fit", "--config", str(made), "--test_after_fit", "false", "--ckpt_path", str(first)])
    check_close(tmp_path / "run_1", one, 0.0)


@pytest.mark.parametrize("strategy", ["ddp", FSDP2], ids=["ddp", "fsdp2"])
def test_two_processes_learn_what_one_learns(one, tiny_set, tmp_path, pair, strategy):
    """Masks go by the clip: whoever draws them, they are the same."""
    made = pre_training(tiny_set, tmp_path, processes=2, strategy=strategy)
    pair.run("fit", "--config", made, "--test_after_fit", "false")
    check_close(tmp_path / "run_0", one, 1e-3)


def test_a_process_whose_videos_were_all_skipped_does_not_hold_up_the_other(one, tiny_set, tmp_path, pair):
    """It must count as well: processes that log other things talk at cross purposes."""
    videos = half_broken(tiny_set, tmp_path)
    made = pre_training(tiny_set, tmp_path, processes=2, strategy="ddp")
    words = ["--ckpt_path", one / "checkpoints" / "last.ckpt", "--data.on_error", "skip", "--data.test"]
    pair.run("test", "--config", made, *words, videos)
    main(["test", "--config", str(pre_training(tiny_set, tmp_path)), *map(str, [*words, videos])])

    for name in ("loss", "share", "spread"):
        (ours,), (theirs,) = (column(tmp_path / run, f"test/{name}") for run in ("test_0", "test_1"))
        assert ours == pytest.approx(theirs, rel=1e-4), name


def check_close(ours, theirs, within):
    """The last weights of two runs are the same, but for rounding."""
    ours, theirs = (
        torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"] for folder in (ours, theirs)
    )
    assert ours.keys() == theirs.keys()
    for name, weights in theirs.items():
        torch.testing.assert_close(ours[name], weights, atol=within, rtol=0, msg=name)


def test_mask_tokens_train_a_scheme_that_needs_the_map(tiny_set, tmp_path):
    made = pre_training(tiny_set, tmp_path, "vidattn.SimMIM", attention="window", pooling="mean")
    main(["fit", "--config", str(made), "--trainer.max_epochs", "1", "--data.loading.clips_per_video", "2"])
    assert (tmp_path / "run_0" / "reconstructions" / "epoch_000.png").is_file()
    assert load(tmp_path / "run_0").config.attention == "window"


def test_a_list_without_labels_and_without_validation_is_enough(tiny_set, tmp_path):
    values = yaml.safe_load(pre_training(tiny_set, tmp_path).read_text())
    names = [line.partition(",")[0] for line in (tiny_set / "train.csv").read_text().splitlines()]
    (tmp_path / "bare.csv").write_text("\n".join(str(tiny_set / name) for name in names) + "\n")
    values["data"] |= {"train": str(tmp_path / "bare.csv"), "val": None, "test": None}
    main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values)), "--trainer.max_epochs", "1"])
    assert (tmp_path / "run_0" / "reconstructions" / "epoch_000.png").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model.mask.ratio", "0.01"], "mask ratio=0.01 hides nothing of 16 places of a frame"),
        (["--model.network.attention", "window"], "vidattn.SimMIM hides places behind a token"),
        (["--model.decoder.num_heads", "3"], "decoder embed_dim=16, depth=1, num_heads=3"),
    ],
)
def test_what_cannot_be_is_refused_before_data_is_read(tiny_set, tmp_path, capsys, words, message):
    values = yaml.safe_load(pre_training(tiny_set, tmp_path).read_text())
    values["data"]["train"] = "nowhere.csv"
    with pytest.raises(SystemExit) as end:
        main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values)), *words])
    assert end.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
