from pathlib import Path

import pytest
from encode import encode_video, numbered_frames


@pytest.fixture
def dataset(tmp_path) -> Path:
    """Six videos of two classes (one name twice, with two endings), one segment list, and a broken file."""
    folder = tmp_path / "set"
    rows = ["path,labels,start,end,start_frame,end_frame"]
    for number, name in enumerate(["a/0.mp4", "a/0.mkv", "b/1.mp4", "b/2.mp4", "b/deep/3.mp4", "b/4.mp4"]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        encode_video(folder / name, numbered_frames(10, 96, 128, first=100 * number), options={"preset": "ultrafast"})
        rows.append(f"{name},{name[0]},,,,")
    rows.append("b/4.mp4,b,,,3,6")
    (folder / "b" / "broken.mp4").write_bytes(b"no video" * 100)
    rows.append("b/broken.mp4,b,,,,")
    (folder / "list.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture
def clip(tmp_path):
    """A function that writes a tiny video of so many frames at a path below `tmp_path`."""

    def write(name: str, num_frames: int) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return encode_video(path, numbered_frames(num_frames), options={"preset": "ultrafast"})

    return write
