"""Training that is interrupted and resumed ends as if it had never stopped."""

import signal
import time
from types import SimpleNamespace

import pytest
import torch
import yaml
from old_run import as_before
from tiny_run import SIZE, Ending, Slow, column, config, start, write_config

from vidattn.cli import main
from vidattn.training.checkpoint import Checkpoint

pytestmark = pytest.mark.usefixtures("one_thread")
EPOCHS, STEPS = 4, 3  # and steps per epoch
one_process = SimpleNamespace(reduce_boolean_decision=lambda decision: decision)
SLOW = f"{Slow.__module__}.{Slow.__qualname__}"


def run_config(tiny_set, folder, num_workers=0, **checkpoint):
    """Everything that draws random numbers is on: order, crops, dropout, drop path, mixup."""
    values = config(tiny_set, folder)
    values["trainer"]["max_epochs"] = EPOCHS
    values["model"]["network"] |= {"dropout": 0.2, "drop_path": 0.2}
    values["model"] |= {"mixup_alpha": 0.5}
    crop = {"class_path": "torchvision.transforms.v2.RandomCrop", "init_args": {"size": SIZE}}
    values["data"] |= {"num_workers": num_workers, "train_transforms": [{"class_path": SLOW}, crop]}
    values["last_checkpoint"] = checkpoint
    values["test_after_fit"] = False
    return write_config(folder / "config.yaml", values)


@pytest.fixture(scope="module")
def uninterrupted(tiny_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    torch.set_num_threads(1)
    main(["fit", "--config", str(run_config(tiny_set, folder))])
    return folder / "run_0"


def killed(path, folder):
    """Start the run, kill it once its first checkpoint is there, and return the last checkpoint."""
    process = start("fit", "--config", path, TINY_RUN_SLOW="0.1")
    last = folder / "run_0" / "checkpoints" / "last.ckpt"
    deadline = time.monotonic() + 120
    while not last.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "no checkpoint in two minutes"
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=120)
    return last


def best_score(checkpoint):
    (score,) = (state["best_model_score"] for state in checkpoint["callbacks"].values() if state.get("monitor"))
    return score


def assert_same_end(run, uninterrupted):
    ours, theirs = (
        torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True) for folder in (run, uninterrupted)
    )
    assert ours["global_step"] == theirs["global_step"] == EPOCHS * STEPS
    for name, weights in theirs["state_dict"].items():
        assert torch.equal(ours["state_dict"][name], weights), name
    assert best_score(ours) == best_score(theirs)
    for name in ("val/loss", "val/video_top1", "train/loss_step"):
        resumed = column(run, name)
        assert resumed == column(uninterrupted, name)[-len(resumed) :]


def test_a_run_killed_after_an_epoch_resumes_to_the_same_end(tiny_set, tmp_path, uninterrupted):
    path = run_config(tiny_set, tmp_path, num_workers=2)
    last = killed(path, tmp_path)
    assert torch.load(last, weights_only=True)["global_step"] in (STEPS, 2 * STEPS)

    main(["fit", "--config", str(path), "--ckpt_path", str(last)])

    assert_same_end(tmp_path / "run_1", uninterrupted)


def test_a_run_terminated_within_an_epoch_resumes_to_the_same_end(tiny_set, tmp_path, uninterrupted):
    path = run_config(tiny_set, tmp_path, every_n_train_steps=STEPS + 1)
    last = tmp_path / "run_0" / "checkpoints" / "last.ckpt"
    values = yaml.safe_load(path.read_text())
    ending = {"class_path": f"{Ending.__module__}.{Ending.__qualname__}", "init_args": {"step": STEPS + 2}}
    values["trainer"]["callbacks"] = [ending]
    with pytest.raises(SystemExit) as end:
        main(["fit", "--config", str(write_config(tmp_path / "ending.yaml", values))])
    assert end.value.code == 128 + signal.SIGTERM
    assert torch.load(last, weights_only=True)["global_step"] == STEPS + 1

    main(["fit", "--config", str(path), "--ckpt_path", str(last)])

    assert_same_end(tmp_path / "run_1", uninterrupted)


@pytest.mark.parametrize("pooling", ["mean", "attentive", "class_token"])
def test_a_run_of_before_whose_parameters_had_another_order_goes_on_to_the_same_end(tiny_set, tmp_path, pooling):
    values = config(tiny_set, tmp_path) | {"test_after_fit": False}
    values["model"]["network"]["pooling"] = pooling
    values["last_checkpoint"] = {"filename": "{epoch}", "save_top_k": -1}
    values["data"]["val"] = None
    path = write_config(tmp_path / "config.yaml", values)
    main(["fit", "--config", str(path)])
    old = as_before(tmp_path / "run_0" / "checkpoints" / "epoch=0.ckpt", tmp_path / "old.ckpt")
    main(["fit", "--config", str(path), "--ckpt_path", str(old)])

    ours, theirs = (
        torch.load(tmp_path / run / "checkpoints" / "epoch=1.ckpt", weights_only=True)["state_dict"]
        for run in ("run_1", "run_0")
    )
    assert all(torch.equal(ours[name], weights) for name, weights in theirs.items())


def test_a_resumed_run_knows_the_best_checkpoint_of_its_past(tmp_path):
    past = Checkpoint(tmp_path / "run_0", monitor="val/video_top1", mode="max")
    past.best_model_path, past.best_model_score = "run_0/best.ckpt", torch.tensor(0.9)
    past.best_k_models = {past.best_model_path: past.best_model_score}
    past.kth_best_model_path, past.kth_value = past.best_model_path, past.best_model_score

    resumed = Checkpoint(tmp_path / "run_1", monitor="val/video_top1", mode="max")
    resumed.load_state_dict(past.state_dict())

    assert resumed.best_model_path == "run_0/best.ckpt"
    assert not resumed.check_monitor_top_k(SimpleNamespace(strategy=one_process), torch.tensor(0.8))
    assert resumed.check_monitor_top_k(SimpleNamespace(strategy=one_process), torch.tensor(0.95))
