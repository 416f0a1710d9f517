import re

import numpy as np
import pytest
import torch
from encode import encode_video
from tiny_run import SIZE, config, write_config

from vidattn.cli import main
from vidattn.training.objective import MultiLabel


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


def test_lists_and_objective_must_agree(videos, tmp_path, capsys):
    values = multi_config(videos, tmp_path)
    del values["model"]["objective"]

    with pytest.raises(SystemExit):
        main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values))])

    assert re.search(r"several labels a video; set --model\.objective .*MultiLabel", capsys.readouterr().err)
