import json

import numpy as np
import pytest
from encode import encode_video
from tiny_run import SIZE, column, config, write_config

from vidattn import load
from vidattn.cli import main


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
