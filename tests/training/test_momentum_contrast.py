"""Pre-training by contrast: equal to a plain loop, on one process and on two, resumed, and refused in words."""

import math

import pytest
import torch
import yaml
from golden import SMALL, drawn
from tiny_run import column, config, half_broken, write_config

from vidattn import load
from vidattn.cli import main
from vidattn.training.momentum_contrast import MomentumContrast, contrast

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_loss_is_that_of_a_plain_loop():
    queries, keys = drawn("queries", torch.Size((5, 8))).float(), drawn("keys", torch.Size((5, 8))).float()
    terms = []
    for i in range(5):
        cosines = [torch.cosine_similarity(queries[i], keys[j], dim=0).item() / 0.2 for j in range(5)]
        terms.append(math.log(sum(math.exp(one) for one in cosines)) - cosines[i])
    assert contrast(queries, keys, 0.2).item() == pytest.approx(2 * 0.2 * sum(terms) / 5, rel=1e-5)


def test_both_views_are_asked_for_and_keys_come_from_the_copy():
    torch.manual_seed(0)
    task = MomentumContrast(SMALL, 8, 16).eval()
    for parameter in task.slow_network.parameters():
        parameter.add_(0.1)
    first, second = (torch.randint(0, 255, (4, 3, 4, 32, 32), dtype=torch.uint8) for _ in range(2))

    def vector(network, projector, clips):
        return projector(network.read(network.features(task.normalize(clips))))

    queries = [task.predictor(vector(task.network, task.projector, clips)) for clips in (first, second)]
    keys = [vector(task.slow_network, task.slow_projector, clips) for clips in (first, second)]
    wanted = contrast(queries[0], keys[1], 0.2) + contrast(queries[1], keys[0], 0.2)

    loss = task(first, second)
    torch.testing.assert_close(loss, wanted)
    loss.backward()
    assert [name for name, one in task.named_parameters() if one.requires_grad and one.grad is None] == []
    frozen = {name.split(".")[0] for name, one in task.named_parameters() if not one.requires_grad}
    assert frozen == {"network", "slow_network", "slow_projector"}
    still = [name for name, one in task.network.named_parameters() if not one.requires_grad]
    assert still == ["patch.weight", "patch.bias", "head.weight", "head.bias"]


def test_the_momentum_rises_by_half_a_cosine():
    task = MomentumContrast(SMALL, 8, 16, momentum=0.9)
    assert [round(task.momentum_at(epoch, 10), 4) for epoch in (0, 5, 10)] == [0.9, 0.95, 1.0]


def contrastive(tiny_set, folder, processes=1, **loading):
    values = config(tiny_set, folder)
    # In 64 bits: norms over few clips that look alike make much of rounding.
    values["trainer"] |= {"devices": processes, "strategy": "ddp" if processes > 1 else "auto", "precision": "64-true"}
    arguments = values["model"] | {"width": 8, "hidden": 16, "momentum": 0.9}
    arguments["optimizer"] = {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.05}}
    values["model"] = {"class_path": "vidattn.MomentumContrast", "init_args": arguments}
    values["data"] |= {"eval_batch_size": 2, "num_val_clips": 2, "num_test_clips": 2, "num_test_crops": 1}
    values["data"]["loading"] = {"batch_size": 8 // processes, "clips_per_video": 2, "crops_per_clip": 1, **loading}
    for name in ("batch_size", "eval_batch_size", "num_workers"):
        values["data"]["loading"].setdefault(name, values["data"].pop(name))
        values["data"].pop(name, None)
    return write_config(folder / "config.yaml", values)


@pytest.fixture(scope="module")
def one(tiny_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("moco")
    main(["fit", "--config", str(contrastive(tiny_set, folder))])
    return folder / "run_0"


def state_of(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def test_it_is_watched_and_a_fine_tuning_starts_from_it(one):
    assert len(column(one, "val/loss")) == 2
    assert all(0 < spread <= 1 / math.sqrt(8) + 1e-6 for spread in column(one, "val/spread"))
    loaded = load(one)
    assert loaded.head_is_fresh
    best = torch.load(one / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    name = "blocks.0.mlp.fc1.weight"
    torch.testing.assert_close(loaded.network.state_dict()[name], best[f"network.{name}"].float())


def test_the_copy_follows_the_network(one):
    state = state_of(one)
    name = "blocks.1.mlp.fc2.weight"
    assert not torch.equal(state[f"slow_network.{name}"], state[f"network.{name}"])
    assert torch.equal(state["slow_network.patch.weight"], state["network.patch.weight"])


def test_a_resumed_run_ends_as_one_that_was_never_interrupted(tiny_set, tmp_path):
    """In 32 bits: Lightning reads a checkpoint before it makes a network of 64."""
    made = str(contrastive(tiny_set, tmp_path))
    words = ["--test_after_fit", "false", "--trainer.precision", "32-true"]
    every = ["--last_checkpoint.filename", "{epoch}", "--last_checkpoint.save_top_k", "-1"]
    main(["fit", "--config", made, *words, *every])
    first = tmp_path / "run_0" / "checkpoints" / "epoch=0.ckpt"
    main(["fit", "--config", made, *words, "--ckpt_path", str(first)])
    theirs = torch.load(first.with_name("epoch=1.ckpt"), weights_only=True)["state_dict"]
    ours = state_of(tmp_path / "run_1")
    assert ours.keys() == theirs.keys()
    for name, weights in theirs.items():
        assert torch.equal(ours[name], weights), name


def test_two_processes_learn_what_one_learns(one, tiny_set, tmp_path, pair):
    """Norms and keys are those of both."""
    pair.run("fit", "--config", contrastive(tiny_set, tmp_path, processes=2), "--test_after_fit", "false")
    ours, theirs = state_of(tmp_path / "run_0"), state_of(one)
    for name, weights in theirs.items():
        torch.testing.assert_close(ours[name], weights, atol=1e-8, rtol=0, msg=name)


def test_a_process_whose_videos_were_all_skipped_does_not_hold_up_the_other(one, tiny_set, tmp_path, pair):
    """It must count as well: processes that log other things talk at cross purposes."""
    videos = half_broken(tiny_set, tmp_path)
    made = contrastive(tiny_set, tmp_path, processes=2)
    words = ["--ckpt_path", one / "checkpoints" / "last.ckpt", "--data.on_error", "skip", "--data.test"]
    pair.run("test", "--config", made, *words, videos)
    good = tmp_path / "good.csv"  # a loss is one among the videos of a batch
    good.write_text("".join(row + "\n" for row in videos.read_text().splitlines() if "broken" not in row))
    main(["test", "--config", str(contrastive(tiny_set, tmp_path)), *map(str, [*words, good])])

    for name in ("loss", "spread"):
        (ours,), (theirs,) = (column(tmp_path / run, f"test/{name}") for run in ("test_0", "test_1"))
        assert ours == pytest.approx(theirs, rel=1e-4), name


def test_two_crops_of_a_clip_may_be_the_pair(tiny_set, tmp_path):
    made = contrastive(tiny_set, tmp_path, clips_per_video=1, crops_per_clip=2)
    main(["fit", "--config", str(made), "--trainer.max_steps", "1", "--test_after_fit", "false"])
    assert (tmp_path / "run_0" / "checkpoints" / "last.ckpt").is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loading": {"clips_per_video": 1}}, "contrast needs two views of each video"),
        ({"loading": {"batch_size": 2}}, "contrast tells the videos of a batch apart, and there is only one in it"),
        ({"num_val_clips": 1}, "data.val gives one; set data.views.num_val_clips to 2"),
    ],
)
def test_what_makes_no_pairs_is_refused_before_training(tiny_set, tmp_path, capsys, changes, message):
    values = yaml.safe_load(contrastive(tiny_set, tmp_path).read_text())
    values["data"]["loading"] |= changes.pop("loading", {})
    values["data"] |= changes
    with pytest.raises(SystemExit) as end:
        main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values))])
    assert end.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("changes", [{"momentum": 1.5}, {"temperature": 0}, {"width": 0}])
def test_numbers_out_of_range_are_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        MomentumContrast(SMALL, **changes)
