import json

import pytest
from encode import encode_video, numbered_frames
from PIL import Image

from vidattn.cli import main
from vidattn.data.check.box_findings import NO_FRAME


@pytest.fixture
def folder(tmp_path):
    for name in ("a", "b"):
        encode_video(tmp_path / f"{name}.mp4", numbered_frames(10))
    (tmp_path / "train.csv").write_text("path\na.mp4\nb.mp4\n")
    rows = ["path,frame,x1,y1,x2,y2,label", "a.mp4,3,0.1,0.1,0.5,0.9,jump", "a.mp4,12,0.1,0.1,0.5,0.9,jump"]
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    return tmp_path


def test_a_check_with_boxes_counts_what_is_odd_and_draws_some(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    out = folder / "out"
    main(["check", f"{folder}/train.csv", "--boxes", f"{folder}/boxes.csv", "--out", str(out), "--workers", "0"])

    said = capsys.readouterr().out
    assert "2 rows of boxes in" in said
    assert "boxes on frames that do not exist" in said
    assert "a.mp4 has 10 frames" in said
    assert "videos without boxes in train" in said
    assert "train: rows by class: jump 2" in said
    assert "data.class_names" not in said  # classes are those of the boxes
    report = json.loads((out / "boxes.json").read_text())
    assert len(report["problems"][NO_FRAME]) == 1
    assert Image.open(out / "boxes.png").size[0] > 300


def test_boxes_of_other_videos_are_a_mistake_in_a_line(folder, capsys):
    (folder / "boxes.csv").write_text("path,frame,x1,y1,x2,y2,label\nc.mp4,3,0.1,0.1,0.5,0.9,jump\n")
    words = ["check", f"{folder}/train.csv", "--boxes", f"{folder}/boxes.csv", "--out", f"{folder}/out"]
    with pytest.raises(SystemExit):
        main([*words, "--workers", "0"])
    assert "none of 2 videos of train is in it" in capsys.readouterr().err
