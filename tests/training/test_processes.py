"""Two processes on the CPU (gloo) do what one does, by DDP and FSDP2, with all that people switch on together; and what
either number has begun the other ends."""

import csv
import json
from itertools import combinations

import pytest
import torch
from old_run import as_before
from tiny_run import CLASSES, FSDP2, SIZE, ShardSizes, add_broken, column, config, write_config

from vidattn.checkpoints.loading import load
from vidattn.cli import main
from vidattn.data.videos.manifest import read_manifest
from vidattn.data.videos.shards import by_count, write_shards

pytestmark = pytest.mark.usefixtures("one_thread")
STRATEGIES = {"ddp": "ddp", "fsdp2": FSDP2}
SHARDS = f"{ShardSizes.__module__}.{ShardSizes.__qualname__}"


def broken_config(tiny_set, folder, processes, strategy):
    """Nine test videos, of which the second, and so the second process's first, is broken."""
    values = config(tiny_set, folder)
    del values["data"]["decode_timeout"]  # with a watchdog, as where nothing is said
    values["trainer"] |= {"devices": processes, "strategy": strategy, "gradient_clip_val": 1.0}
    values["trainer"]["callbacks"] = [{"class_path": SHARDS, "init_args": {"folder": str(folder / "shards")}}]
    values["data"]["batch_size"] = 4 // processes
    values["data"] |= {"test": str(add_broken(tiny_set, "test", 1)), "on_error": "skip"}
    return write_config(folder / "config.yaml", values)


@pytest.fixture(scope="module")
def one(tiny_set, tmp_path_factory, pair):
    folder = tmp_path_factory.mktemp("one")
    main(["fit", "--config", str(broken_config(tiny_set, folder, 1, "auto"))])
    return folder / "run_0"


@pytest.fixture(scope="module", params=list(STRATEGIES))
def two(request, tiny_set, tmp_path_factory, pair):
    folder = tmp_path_factory.mktemp(request.param)
    output = pair.run("fit", "--config", broken_config(tiny_set, folder, 2, STRATEGIES[request.param]))
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
    for key in cards[0].keys() - {"clips_per_second", "checkpoint", "classify", "calibration_error"}:
        assert cards[1][key] == pytest.approx(cards[0][key])
    error = cards[0]["calibration_error"]  # the one number that is not a count
    assert cards[1]["calibration_error"] == pytest.approx(error, rel=1e-3)
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


@pytest.mark.parametrize("two", ["ddp"], indirect=True)
def test_two_processes_write_the_answers_of_all_in_the_order_of_the_list(two, tiny_set, pair):
    answers = two.parent / "answers.csv"
    arguments = ["--ckpt_path", two / "checkpoints" / "last.ckpt", "--data.predict", tiny_set / "test.csv"]
    pair.run("predict", "--config", two / "config.yaml", *arguments, "--predictions.path", answers)

    rows = list(csv.DictReader(answers.open()))
    listed = [line.partition(",")[0] for line in (tiny_set / "test.csv").read_text().splitlines()]
    assert [row["path"] for row in rows] == [str(tiny_set / name) for name in listed]
    assert [path.name for path in two.parent.glob("answers*")] == ["answers.csv"]


@pytest.mark.parametrize("two", ["ddp"], indirect=True)
def test_two_processes_name_what_any_of_them_skipped(two, tiny_set, pair):
    words = ["--data.predict", tiny_set / "test_broken.csv", "--predictions.path", two.parent / "some.csv"]
    output = pair.run("predict", "--config", two / "config.yaml", *words, status=1)

    assert "Answers for 8 of 9 videos are in" in output
    assert output.count(f"  {tiny_set / 'broken_test.mp4'}: cannot open it") == 1


CHOICES = [("ddp", "fsdp2"), ("mean", "attentive", "class_token"), ("1 to 2", "2 to 1")]
SCORES = ("video_top1", "mAP", "clip_top1")
SWITCHES = ["averaged", "accumulated", "recomputed", "bf16", "frozen", "several", "shards"]
ROWS = [
    "ddp   mean        1 to 2",  # the README's main configuration
    "ddp   attentive   1 to 2  averaged accumulated frozen several",
    "ddp   attentive   1 to 2  recomputed bf16 shards",
    "ddp   class_token 2 to 1  accumulated bf16 several shards",
    "fsdp2 mean        2 to 1  averaged accumulated recomputed bf16",
    "fsdp2 mean        2 to 1  accumulated frozen several shards",
    "fsdp2 attentive   2 to 1  averaged recomputed bf16 frozen several shards",
    "fsdp2 class_token 1 to 2  averaged accumulated recomputed frozen",
    "fsdp2 class_token 1 to 2  recomputed bf16 shards",
]


def parsed(row):
    """Strategy, read-out, the numbers of processes before and after, and what is switched on."""
    strategy, pooling, before, _, after, *switched = row.split()
    return strategy, pooling, f"{before} to {after}", set(switched)


def values_of(row):
    *chosen, switched = parsed(row)
    return [*enumerate(chosen), *((name, name in switched) for name in SWITCHES)]


def test_every_two_of_the_options_meet_in_a_row():
    axes = [[(place, value) for value in values] for place, values in enumerate(CHOICES)]
    axes += [[(name, False), (name, True)] for name in SWITCHES]
    wanted = {frozenset((a, b)) for one, two in combinations(axes, 2) for a in one for b in two}
    met = {frozenset(two) for row in ROWS for two in combinations(values_of(row), 2)}
    assert wanted == met


@pytest.fixture(scope="module")
def lists(tiny_set, tmp_path_factory):
    """Where the data is, by whether a video has several labels and whether it lies in a shard."""
    folder = tmp_path_factory.mktemp("lists")
    found = {}
    for split in ("train", "val"):
        plain = read_manifest(str(tiny_set / f"{split}.csv"))
        several = folder / f"{split}.txt"
        several.write_text("".join(f"{v.path} {v.label} {(v.label + n) % 3}\n" for n, v in enumerate(plain.videos, 1)))
        found[split, False, False], found[split, True, False] = tiny_set / f"{split}.csv", several
        for labels, manifest in ((False, plain), (True, read_manifest(str(several)))):
            shards = folder / f"{split}_{labels}"
            names = CLASSES if not labels else manifest.class_names
            write_shards(shards, by_count(manifest.videos, 3), names, tiny_set)
            found[split, labels, True] = shards / "shards.json"
    return found


def fit_config(row, lists, folder, processes):
    """The README's main configuration, tiny, with what the row says; every epoch's checkpoint is kept.

    The optimizer divides by no less than `eps`, so that rounding stays rounding.
    """
    strategy, pooling, _, on = parsed(row)
    values = config(folder, folder)
    values["last_checkpoint"] = {"filename": "{epoch}", "save_top_k": -1}
    values["model"]["network"] |= {"pooling": pooling, "init_std": 0.2, "gradient_checkpointing": "recomputed" in on}
    values["model"]["optimizer"]["init_args"] |= {"betas": [0.9, 0.98], "weight_decay": 0.05, "eps": 1e-4}
    values["model"]["schedule"]["init_args"] = {"warmup_epochs": 0.5}
    ours = "ddp_find_unused_parameters_true" if strategy == "ddp" and "frozen" in on else strategy
    values["trainer"] |= {
        "devices": processes,
        "strategy": "auto" if processes == 1 else FSDP2 if ours == "fsdp2" else ours,
        "gradient_clip_val": 1.0,
        "accumulate_grad_batches": 2 if "accumulated" in on else 1,
        "precision": "bf16-mixed" if "bf16" in on else "32-true",
        "callbacks": [],
    }
    if "averaged" in on:
        averaging = {"class_path": "EMAWeightAveraging", "init_args": {"decay": 0.5}}
        values["trainer"]["callbacks"].append(averaging)
    if "frozen" in on:
        freezing = {"class_path": "vidattn.training.FrozenBackbone", "init_args": {"epochs": 1}}
        values["trainer"]["callbacks"].append(freezing)
    if "several" in on:
        values["model"]["objective"] = {"class_path": "vidattn.training.MultiLabel"}
    source = ("several" in on, "shards" in on)
    values["data"] |= {split: str(lists[split, *source]) for split in ("train", "val")} | {"test": None}
    if "averaged" in on:
        values["data"]["test"] = values["data"]["val"]
    crop = {"class_path": "torchvision.transforms.v2.CenterCrop", "init_args": {"size": SIZE}}
    values["data"] |= {"train_transforms": [crop], "num_test_crops": 1, "batch_size": 4 // processes}
    return write_config(folder / "config.yaml", values)


def fit(number, pair, *words):
    pair.run("fit", *words) if number == 2 else main(["fit", *map(str, words)])


SHARDED = [row for row in ROWS if "shards" in row]  # whose videos come in another order to another number of processes


@pytest.mark.parametrize("row", [row for row in ROWS if row not in SHARDED])
def test_two_processes_end_as_one_does_also_where_the_other_number_goes_on(row, lists, pair, tmp_path):
    paths = {number: fit_config(row, lists, tmp_path / str(number), number) for number in (1, 2)}
    for number, path in paths.items():
        fit(number, pair, "--config", path)
    before, _, after = parsed(row)[2].split()
    first = tmp_path / before / "run_0" / "checkpoints" / "epoch=0.ckpt"
    fit(int(after), pair, "--config", paths[int(after)], "--ckpt_path", first)

    one, two, resumed = (tmp_path / name for name in ("1/run_0", "2/run_0", f"{after}/run_1"))
    assert all((run / "scorecard.json").exists() == ("averaged" in row) for run in (one, two, resumed))
    assert_same_end(two, one, within=0.2 if "bf16" in row else 1e-3)
    assert_same_end(resumed, one, within=0.2 if "bf16" in row else 1e-3)


@pytest.mark.parametrize("row", SHARDED)
def test_the_other_number_of_processes_takes_as_many_steps_over_shards(row, lists, pair, tmp_path):
    before, _, after = parsed(row)[2].split()
    paths = {number: fit_config(row, lists, tmp_path / number, int(number)) for number in (before, after)}
    fit(int(before), pair, "--config", paths[before])
    first = tmp_path / before / "run_0"
    fit(int(after), pair, "--config", paths[after], "--ckpt_path", first / "checkpoints" / "epoch=0.ckpt")

    resumed = tmp_path / after / "run_0"
    score = "val/mAP" if "several" in row else "val/video_top1"
    assert [len(column(run, score)) for run in (first, resumed)] == [2, 1]
    assert all(0 <= value <= 1 for run in (first, resumed) for value in column(run, score))
    assert steps(resumed) == steps(first)


def last_of(run):
    return torch.load(run / "checkpoints" / "epoch=1.ckpt", weights_only=True)


def steps(run):
    return last_of(run)["global_step"]


def assert_same_end(run, other, within):
    """Steps, weights and averaged weights: as near to the other's as `within` of the way that they went in the last
    epoch; and the last scores."""
    ours, theirs = last_of(run), last_of(other)
    before = torch.load(other / "checkpoints" / "epoch=0.ckpt", weights_only=True)
    assert ours["global_step"] == theirs["global_step"] > before["global_step"]
    assert ("current_model_state" in ours) == ("current_model_state" in theirs)
    for key in {"state_dict", "current_model_state"} & theirs.keys():
        assert ours[key].keys() == theirs[key].keys()
        away, way = (
            torch.cat([(a[name] - theirs[key][name]).flatten() for name in theirs[key]]).norm()
            for a in (ours[key], before[key])
        )
        assert way > 0
        assert away < within * way, (run.parent.name, run.name, key, away / way)
    cards = [json.loads(path.read_text()) for at in (run, other) if (path := at / "scorecard.json").exists()]
    assert all(card["videos_evaluated"] == 5 for card in cards)
    if within < 0.1:
        for card in cards[1:]:
            assert [card.get(name) for name in SCORES] == pytest.approx([cards[0].get(name) for name in SCORES])
        assert column(run, "val/loss")[-1] == pytest.approx(column(other, "val/loss")[-1], rel=1e-4)


@pytest.fixture(scope="module")
def plain(lists, tmp_path_factory):
    """The README's main configuration on one process."""
    folder = tmp_path_factory.mktemp("plain")
    fit(1, None, "--config", fit_config("ddp mean 1 to 2", lists, folder, 1))
    return folder / "run_0"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_processes_go_on_with_a_run_of_before_whose_parameters_had_another_order(
    strategy, plain, lists, pair, tmp_path
):
    old = as_before(plain / "checkpoints" / "epoch=0.ckpt", tmp_path / "old.ckpt")
    fit(2, pair, "--config", fit_config(f"{strategy} mean 1 to 2", lists, tmp_path, 2), "--ckpt_path", old)
    assert_same_end(tmp_path / "run_0", plain, within=1e-3)
