import os
import shutil

import pytest
from encode import encode_video, numbered_frames

from vidattn.cli import main
from vidattn.data.check import survey as survey_module
from vidattn.data.check.probe import probe


@pytest.fixture(scope="session")
def videos(tmp_path_factory):
    """`train/` and `val/`: good ones, and one for each thing that can be wrong with a file."""
    folder = tmp_path_factory.mktemp("check")
    for split, name, first in [("train", "dance", 0), ("train", "jump", 100), ("val", "dance", 200)]:
        (folder / split / name).mkdir(parents=True, exist_ok=True)
        encode_video(folder / split / name / "good.mp4", numbered_frames(48, first=first), options={"g": "12"})
    train = folder / "train" / "dance"
    data = (train / "good.mp4").read_bytes()
    front = encode_video(folder / "f.mp4", numbered_frames(48, 96, 128), container_options={"movflags": "faststart"})
    (train / "truncated.mp4").write_bytes(front.read_bytes()[: len(front.read_bytes()) * 2 // 3])
    front.unlink()
    (train / "headless.mp4").write_bytes(data[: len(data) // 2])
    (train / "empty.mp4").touch()
    encode_video(train / "short.mp4", numbered_frames(3))
    encode_video(train / "rotated.mov", numbered_frames(16), rotation=90)
    uneven = [0, 1, 2, 3, 9, 10, 11, 12, 13, 20, 21, 22]
    encode_video(train / "uneven.mp4", numbered_frames(12), pts=uneven)
    shutil.copy(folder / "train" / "jump" / "good.mp4", folder / "val" / "dance" / "leak.mp4")
    shutil.copy(train / "good.mp4", train / "twice.mp4")
    (folder / "val" / "jump").mkdir()
    (folder / "val" / "jump" / "bad.mp4").write_bytes(b"no video" * 100)
    rows = [
        *(
            f"{split}/{path.parent.name}/{path.name},{path.parent.name}"
            for split in ["train"]
            for path in sorted((folder / split).glob("*/*"))
        ),
        "train/jump/gone.mp4,jump",
    ]
    (folder / "train.csv").write_text("\n".join(rows) + "\n")
    rows = [f"val/{path.parent.name}/{path.name},{path.parent.name}" for path in sorted((folder / "val").glob("*/*"))]
    (folder / "val.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="session")
def checked(videos, tmp_path_factory):
    """What the command leaves, checked by two processes."""
    out = tmp_path_factory.mktemp("checked")
    main(["check", str(videos / "train.csv"), str(videos / "val.csv"), "--out", str(out), "--workers", "2"])
    return out


@pytest.fixture
def probed(monkeypatch):
    """The names of the files that are probed from now on."""
    names = []

    def noted(path, *args):
        names.append(os.path.basename(path))
        return probe(path, *args)

    monkeypatch.setattr(survey_module, "probe", noted)
    monkeypatch.setattr(survey_module, "AVAILABLE", False)  # in this process, where the names are
    return names
