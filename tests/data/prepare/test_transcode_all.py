import json
import os
from multiprocessing import get_context
from pathlib import Path

import pytest
from encode import encode_video, numbered_frames

from vidattn.cli import main
from vidattn.data.prepare import transcode_all as pool_module
from vidattn.data.prepare.transcode import Transcoding


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


def run(dataset: Path, out: Path, *words: str) -> dict:
    options = ["--short_side", "48", "--preset", "ultrafast", "--crf", "10", "--workers", "2", *words]
    status = 0
    try:
        main(["prepare", str(dataset / "list.csv"), "--out", str(out), *options])
    except SystemExit as end:
        status = end.code
        if status != 1:
            raise
    report = json.loads((out / "prepare.json").read_text())
    assert status == bool(report["failed"])
    return report


def test_a_process_that_dies_over_a_video_costs_that_video_only(dataset, tmp_path, monkeypatch):
    transcode = Transcoding.run

    def die(self, source, target, folder_fps=None):
        if source.endswith("b/2.mp4"):
            target.parent.mkdir(parents=True, exist_ok=True)  # its neighbour may not have come so far
            target.with_name(target.name + ".part").write_bytes(b"half")
            os._exit(1)
        return transcode(self, source, target, folder_fps)

    monkeypatch.setattr(Transcoding, "run", die)
    monkeypatch.setattr(pool_module, "get_context", lambda method: get_context("fork"))
    report = run(dataset, tmp_path / "out")

    assert set(report["failed"]) == {str(dataset / "b" / name) for name in ("2.mp4", "broken.mp4")}
    assert "its process died" in report["failed"][str(dataset / "b" / "2.mp4")]
    assert report["videos"] == 5
