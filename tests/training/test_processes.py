"""Two processes on the CPU (gloo) do what one does: DDP and FSDP2, from the command line."""

import csv
import json

import pytest
import torch
from tiny_run import ShardSizes, add_broken, column, config, run, start, write_config

from vidattn.checkpoints.loading import load
from vidattn.cli import main

FSDP2 = {
    "class_path": "ModelParallelStrategy",
    "init_args": {"data_parallel_size": 2, "tensor_parallel_size": 1, "save_distributed_checkpoint": False},
}
STRATEGIES = {"ddp": "ddp", "fsdp2": FSDP2}
SHARDS = f"{ShardSizes.__module__}.{ShardSizes.__qualname__}"


def fit_config(tiny_set, folder, processes, strategy):
    """Nine test videos, of which the second, and so the second process's first, is broken."""
    values = config(tiny_set, folder)
    values["trainer"] |= {"devices": processes, "strategy": strategy, "gradient_clip_val": 1.0}
    values["trainer"]["callbacks"] = [{"class_path": SHARDS, "init_args": {"folder": str(folder / "shards")}}]
    values["data"]["batch_size"] = 4 // processes
    values["data"] |= {"test": str(add_broken(tiny_set, "test", 1)), "on_error": "skip"}
    return write_config(folder / "config.yaml", values)


@pytest.fixture(scope="module")
def one(tiny_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    main(["fit", "--config", str(fit_config(tiny_set, folder, 1, "auto"))])
    return folder / "run_0"


@pytest.fixture(scope="module", params=list(STRATEGIES))
def two(request, tiny_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    output = run("fit", "--config", fit_config(tiny_set, folder, 2, STRATEGIES[request.param]))
    assert [path.name for path in folder.glob("run_*")] == ["run_0"]
    assert output.count("Scorecard") == 1
    return folder / "run_0"


def test_two_processes_do_what_one_does(one, two):
    for name in ("train/loss_step", "train/loss_epoch", "train/top1", "lr"):
        assert column(two, name) == pytest.approx(column(one, name), rel=1e-4)
    for split in ("val", "test"):
        for name in ("loss", "clip_top1", "video_top1", "num_videos"):
            assert column(two, f"{split}/{name}") == pytest.approx(column(one, f"{split}/{name}"), rel=1e-4)
    ours = load(two / "checkpoints" / "last.ckpt").network
    theirs = load(one / "checkpoints" / "last.ckpt").network
    for name, weights in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], weights, atol=1e-3, rtol=0, msg=name)


def test_two_processes_count_each_test_video_once_and_write_one_scorecard(one, two):
    cards = [json.loads((folder / "scorecard.json").read_text()) for folder in (one, two)]

    assert cards[1]["videos"] == 9
    assert cards[1]["videos_evaluated"] == 8
    assert cards[1]["videos_skipped"] == 1
    for key in cards[0].keys() - {"clips_per_second", "checkpoint", "classify"}:
        assert cards[1][key] == pytest.approx(cards[0][key])
    assert not (two / "skipped.csv").exists()
    assert "broken_test.mp4" in (two / "skipped-rank1.csv").read_text()


def test_fsdp2_shards_and_ddp_does_not(two):
    sizes = [int(path.read_text()) for path in sorted((two.parent / "shards").iterdir())]
    whole = json.loads((two / "scorecard.json").read_text())["parameters"]

    assert len(sizes) == 2
    if "fsdp2" in str(two):
        assert sum(sizes) == whole
        assert max(sizes) < 0.6 * whole
    else:
        assert sizes == [0, 0]


def test_two_processes_write_the_answers_of_all_in_the_order_of_the_list(two, tiny_set):
    if "fsdp2" in str(two):
        pytest.skip("prediction is the same there")
    answers = two.parent / "answers.csv"
    arguments = ["--ckpt_path", two / "checkpoints" / "last.ckpt", "--data.predict", tiny_set / "test.csv"]
    run("predict", "--config", two / "config.yaml", *arguments, "--predictions.path", answers)

    rows = list(csv.DictReader(answers.open()))
    listed = [line.partition(",")[0] for line in (tiny_set / "test.csv").read_text().splitlines()]
    assert [row["path"] for row in rows] == [str(tiny_set / name) for name in listed]
    assert [path.name for path in two.parent.glob("answers*")] == ["answers.csv"]


def test_two_processes_name_what_any_of_them_skipped(two, tiny_set):
    if "fsdp2" in str(two):
        pytest.skip("prediction is the same there")
    words = ["--data.predict", tiny_set / "test_broken.csv", "--predictions.path", two.parent / "some.csv"]
    process = start("predict", "--config", two / "config.yaml", *words)
    output, _ = process.communicate(timeout=200)

    assert process.returncode == 1, output
    assert "Answers for 8 of 9 videos are in" in output
    assert output.count(f"  {tiny_set / 'broken_test.mp4'}: cannot open it") == 1


def test_a_backbone_that_thaws_moves_alike_in_two_processes(tiny_set, tmp_path):
    ends = []
    for processes, strategy in ((1, "auto"), (2, "ddp_find_unused_parameters_true")):
        values = config(tiny_set, tmp_path / strategy) | {"test_after_fit": False}
        freezing = {"class_path": "vidattn.training.FrozenBackbone", "init_args": {"epochs": 1}}
        values["trainer"] |= {"devices": processes, "strategy": strategy, "callbacks": [freezing]}
        values["model"]["network"]["pooling"] = "attentive"
        values["data"]["batch_size"] = 4 // processes
        path = write_config(tmp_path / strategy / "config.yaml", values)
        run("fit", "--config", path) if processes > 1 else main(["fit", "--config", str(path)])
        ends.append(load(tmp_path / strategy / "run_0" / "checkpoints" / "last.ckpt").network.state_dict())

    for name, weights in ends[0].items():
        torch.testing.assert_close(ends[1][name], weights, atol=1e-3, rtol=0, msg=name)
