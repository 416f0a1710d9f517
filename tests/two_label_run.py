"""The smallest run in which a video has two labels, one, or none."""

from pathlib import Path
from typing import Any

import numpy as np
from encode import encode_video
from tiny_run import SIZE, config


def write_two_labels(folder: Path) -> Path:
    """Class 0: the left half is light. Class 1: the right half is. Any of both, or none."""
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


def multi_config(videos: Path, folder: Path) -> dict[str, Any]:
    """A complete configuration, to be changed by the test."""
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
