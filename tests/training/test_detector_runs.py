"""A detector as people train it: from YAML, on drawn videos, resumed, on two processes, in bf16, recomputed."""

import json

import pytest
import torch
from tiny_run import FSDP2, column, config, write_config

from vidattn import load
from vidattn.cli import main
from vidattn.data.made.actions import ACTIONS, ActionsSet

pytestmark = pytest.mark.usefixtures("one_thread")
SCORES = ("loss", "actions", "l1", "giou", "shown", "frame_map", "given_map")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    made = ActionsSet(str(tmp_path_factory.mktemp("drawn") / "set"), 8, 3, 4, num_frames=8, size=32)
    made.write()
    return made


def detector_config(drawn, folder, processes=1, **trainer):
    """Asked on two of four frames, so that being shown is learnt as well."""
    values = config(folder, folder)
    values["trainer"] |= {"devices": processes, "strategy": "ddp" if processes > 1 else "auto", **trainer}
    network = values["model"]["network"] | {"num_classes": len(ACTIONS), "dropout": 0.1}
    arguments = values["model"] | {
        "network": network,
        "queries": {"num_queries": 4, "num_boxes": 2, "embed_dim": 16, "depth": 2, "num_heads": 2},
    }
    values["model"] = {"class_path": "vidattn.ActionDetector", "init_args": arguments}
    data = values["data"] | {split: f"{drawn.folder}/{split}.csv" for split in ("train", "val", "test")}
    sampling = {"class_path": "vidattn.data.StrideSampling", "init_args": {"num_frames": 4, "frame_stride": 2}}
    data |= {"boxes": {"file": drawn.boxes}, "sampling": sampling, "batch_size": 4 // processes, "eval_batch_size": 2}
    values["data"] = {key: value for key, value in data.items() if not key.startswith("num_test")}
    return write_config(folder / "config.yaml", values)


@pytest.fixture(scope="module")
def one(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("detector")
    torch.set_num_threads(1)
    main(["fit", "--config", str(detector_config(drawn, folder))])
    return folder / "run_0"


def weights(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def test_it_is_watched_while_it_trains_and_tested_on_every_frame(one):
    for name in SCORES:
        assert len(column(one, f"val/{name}")) == 2, name
    card = json.loads((one / "scorecard.json").read_text())
    assert (card["frames_evaluated"], card["frames"]) == (4 * 8, 4 * 8)
    assert card["parameters"] == sum(value.numel() for value in weights(one).values())
    assert card["loss"] == pytest.approx(column(one, "test/loss")[0])
    assert card["frame_map_50"] == pytest.approx(column(one, "test/frame_map")[0])
    (kept,) = (
        state
        for state in torch.load(one / "checkpoints" / "last.ckpt", weights_only=True)["callbacks"].values()
        if state.get("monitor")
    )
    assert kept["monitor"] == "val/frame_map"


def test_its_network_is_loaded_with_the_names_of_the_actions_and_without_a_head(one):
    loaded = load(one)
    told = torch.load(one / "checkpoints" / "last.ckpt", weights_only=True)["vidattn"]
    assert told["class_names"] == list(ACTIONS)
    assert loaded.head_is_fresh
    best = torch.load(one / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert torch.equal(loaded.network.norm.weight, best["network.norm.weight"])
    assert "decoder.content" in loaded.beside


def test_resumed_it_ends_as_if_it_had_never_stopped_and_recomputed_layers_change_nothing(one, drawn, tmp_path):
    made = detector_config(drawn, tmp_path)
    words = ["--test_after_fit", "false", "--model.network.gradient_checkpointing", "true"]
    main(
        [
            "fit",
            "--config",
            str(made),
            *words,
            "--last_checkpoint.filename",
            "{epoch}",
            "--last_checkpoint.save_top_k=-1",
        ]
    )
    first = tmp_path / "run_0" / "checkpoints" / "epoch=0.ckpt"
    main(["fit", "--config", str(made), *words, "--ckpt_path", str(first)])

    ours, theirs = weights(tmp_path / "run_1"), weights(one)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, atol=1e-6, rtol=0, msg=name)
    assert column(tmp_path / "run_1", "val/loss") == pytest.approx(column(one, "val/loss")[-1:], rel=1e-5)


@pytest.fixture(scope="module")
def plain(drawn, tmp_path_factory):
    """The folder of a run of one epoch without dropout."""
    folder = tmp_path_factory.mktemp("plain")
    main(["fit", "--config", str(detector_config(drawn, folder, max_epochs=1)), "--model.network.dropout", "0"])
    return folder / "run_0"


@pytest.mark.parametrize("strategy", ["ddp", FSDP2], ids=["ddp", "fsdp2"])
def test_two_processes_do_what_one_does(plain, drawn, tmp_path, pair, strategy):
    made = detector_config(drawn, tmp_path, 2, max_epochs=1, strategy=strategy)
    pair.run("fit", "--config", made, "--model.network.dropout", 0)
    ours = tmp_path / "run_0"
    for name in ("train/loss_step", "train/actions", "train/l1", "train/giou", "train/shown"):
        assert column(ours, name) == pytest.approx(column(plain, name), rel=1e-4), name
    for split in ("val", "test"):
        for name in SCORES:
            assert column(ours, f"{split}/{name}") == pytest.approx(column(plain, f"{split}/{name}"), abs=1e-3), name
    state = weights(ours)
    for name, value in weights(plain).items():
        torch.testing.assert_close(state[name], value, atol=1e-3, rtol=0, msg=name)


def test_in_half_precision_a_step_is_nearly_the_same_and_weights_stay_whole(plain, drawn, tmp_path):
    made = detector_config(drawn, tmp_path, max_epochs=1, precision="bf16-mixed", limit_train_batches=1)
    main(["fit", "--config", str(made), "--model.network.dropout", "0", "--test_after_fit", "false"])
    ours, theirs = (column(folder, "train/loss_step")[0] for folder in (tmp_path / "run_0", plain))
    assert ours != theirs
    assert ours == pytest.approx(theirs, rel=0.03)
    assert column(tmp_path / "run_0", "val/loss")[0] > 0
    kept = weights(tmp_path / "run_0")
    assert all(value.dtype == torch.float32 for value in kept.values() if value.is_floating_point())
    assert all(value.isfinite().all() for value in kept.values())


def test_data_without_boxes_is_refused_in_a_line(drawn, tmp_path, capsys):
    made = detector_config(drawn, tmp_path)
    with pytest.raises(SystemExit):
        main(["fit", "--config", str(made), "--data.boxes.file", "null"])
    assert "ActionDetector learns from boxes, and the data has none; set data.boxes.file" in capsys.readouterr().err


def test_predict_says_how_a_detector_is_asked(one, drawn, capsys):
    with pytest.raises(SystemExit):
        main(["predict", "--config", str(one / "config.yaml"), "--data.predict", f"{drawn.folder}/videos/000000.mp4"])
    assert "vidattn predict LIST --weights RUN --out FILE answers for a detector" in capsys.readouterr().err
