import json
import re

import numpy as np
import pytest
import torch
from encode import encode_video
from tiny_run import SIZE, column, config, write_config
from torchmetrics.functional.classification import multilabel_average_precision

from vidattn import load
from vidattn.cli import main
from vidattn.training.metrics import ViewPrecision, average_precision
from vidattn.training.objective import MultiLabel


def test_map_is_that_of_torchmetrics_over_the_classes_with_videos():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(40, 5, generator=generator), torch.rand(40, 5, generator=generator) > 0.6
    labels[:, 3] = False  # no video of this class
    metric = ViewPrecision(5)
    for part in range(0, 40, 8):
        metric.update(logits[part : part + 8], labels[part : part + 8], torch.arange(part, part + 8))

    present = [0, 1, 2, 4]
    expected = multilabel_average_precision(logits[:, present].sigmoid(), labels[:, present].long(), 4)
    assert metric.compute()["mAP"].item() == pytest.approx(expected.item(), abs=1e-6)
    assert metric.compute()["num_videos"] == 40


@pytest.mark.parametrize("seed", range(4))
def test_videos_with_one_score_count_alike_in_any_order(seed):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(0, 4, (30, 3), generator=generator) / 4
    hits = (torch.rand(30, 3, generator=generator) > 0.7).long()
    order = torch.randperm(30, generator=generator)

    found = average_precision(scores, hits)

    torch.testing.assert_close(found, average_precision(scores[order], hits[order]))
    torch.testing.assert_close(found.float(), multilabel_average_precision(scores, hits, 3, average="none"))


def test_classes_without_a_video_are_counted():
    metric = ViewPrecision(6)
    metric.update(torch.randn(5, 6), torch.eye(6)[:5], torch.arange(5))

    assert metric.compute()["num_classes_scored"] == 5
    empty = ViewPrecision(3)
    empty.update(torch.randn(2, 3), torch.zeros(2, 3), torch.arange(2))
    assert empty.compute()["num_classes_scored"] == 0


def test_views_of_a_video_are_averaged_and_count_once():
    views = torch.tensor([[3.0, -1.0], [-3.0, 1.0], [0.5, 0.5]])
    labels = torch.tensor([[1.0, 0], [1, 0], [0, 1]])
    metric = ViewPrecision(2)
    metric.update(views, labels, torch.tensor([7, 7, 2]))
    metric.update(views[:2], labels[:2], torch.tensor([7, 7]))  # as a sampler may repeat it

    scores = metric.compute()
    assert scores["num_videos"] == 2
    assert scores["mAP"].item() == pytest.approx((0.5 + 1.0) / 2)  # class 0: 0.5 stands behind 0.62
    assert torch.isnan(ViewPrecision(2).compute()["mAP"])


def test_smoothed_targets_lie_half_the_smoothing_inside():
    logits, targets = torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]])
    p = logits.sigmoid()

    expected = -(torch.tensor([[0.95, 0.05]]) * p.log() + torch.tensor([[0.05, 0.95]]) * (1 - p).log()).mean()
    torch.testing.assert_close(MultiLabel(label_smoothing=0.1).loss(logits, targets), expected)


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Class 0: the left half is light. Class 1: the right half is. Any of both, or none."""
    folder = tmp_path_factory.mktemp("multi")
    random = np.random.default_rng(0)
    for split, count in {"train": 16, "val": 8}.items():
        rows = []
        for number in range(count):
            left, right = number % 2, number // 2 % 2
            frames = random.integers(0, 40, (6, SIZE, SIZE, 3))
            frames[:, :, : SIZE // 2] += 180 * left
            frames[:, :, SIZE // 2 :] += 180 * right
            encode_video(folder / f"{split}{number}.mp4", frames.astype(np.uint8), options={"preset": "ultrafast"})
            rows.append(f"{split}{number}.mp4 " + " ".join(name for name, on in (("0", left), ("1", right)) if on))
        (folder / f"{split}.txt").write_text("\n".join(rows) + "\n")
    return folder


def multi_config(videos, folder):
    values = config(videos, folder)
    values["trainer"]["max_epochs"] = 12
    values["model"]["network"]["num_classes"] = 2
    values["model"]["objective"] = {"class_path": "vidattn.training.MultiLabel"}
    flip_free = {"class_path": "torchvision.transforms.v2.CenterCrop", "init_args": {"size": SIZE}}
    values["data"] |= {
        "train": str(videos / "train.txt"),
        "val": str(videos / "val.txt"),
        "test": str(videos / "val.txt"),
    }
    values["data"] |= {"train_transforms": [flip_free], "num_test_crops": 1}
    return values


def test_several_classes_a_video_are_learnt_and_scored(videos, tmp_path, capsys):
    main(["fit", "--config", str(write_config(tmp_path / "c.yaml", multi_config(videos, tmp_path)))])

    losses = column(tmp_path / "run_0", "train/loss_epoch")
    assert losses[-1] < 0.9 * losses[0]
    scores = column(tmp_path / "run_0", "val/mAP")
    assert all(0 < score <= 1 for score in scores)
    card = json.loads((tmp_path / "run_0" / "scorecard.json").read_text())
    assert card["mAP"] == pytest.approx(max(scores), abs=1e-4)  # the best weights, on the same videos
    assert load(tmp_path / "run_0" / "checkpoints" / "best.ckpt").preprocessing.multi_label
    assert "mean average precision" in capsys.readouterr().out


def test_lists_and_objective_must_agree(videos, tmp_path, capsys):
    values = multi_config(videos, tmp_path)
    del values["model"]["objective"]

    with pytest.raises(SystemExit):
        main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values))])

    assert re.search(r"several labels a video; set --model\.objective .*MultiLabel", capsys.readouterr().err)
