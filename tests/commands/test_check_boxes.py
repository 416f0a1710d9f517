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


def test_lists_of_avas_are_read_with_its_label_map_excluded_seconds_and_first_second(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    rows = ["a,900.2,0.1,0.1,0.5,0.9,12,0", "a,900.4,0.1,0.1,0.5,0.9,80,0", "a,900.6,0.2,0.1,0.5,0.9,99,0"]
    (folder / "ava.csv").write_text("\n".join(rows))
    (folder / "map.pbtxt").write_text('item { name: "stand" id: 12 }\nitem { name: "watch" id: 80 }\n')
    (folder / "excluded.csv").write_text("a,900.4\n")
    words = ["check", f"{folder}/train.csv", "--boxes", f"{folder}/ava.csv", "--out", f"{folder}/out"]
    words += ["--workers", "0", "--excluded", f"{folder}/excluded.csv", "--starts-at", "900", "--label-map"]

    main([*words, f"{folder}/map.pbtxt"])
    said = capsys.readouterr().out
    assert "1 row of boxes in" in said
    assert "train: rows by class: stand 1" in said
    assert "rows of excluded seconds" in said
    assert "rows of classes that the label map lacks" in said

    with pytest.raises(SystemExit):
        main([*words, f"{folder}/nowhere.pbtxt"])
    assert "nowhere.pbtxt" in capsys.readouterr().err


def test_options_of_avas_lists_want_boxes(folder, capsys):
    with pytest.raises(SystemExit):
        main(["check", f"{folder}/train.csv", "--out", f"{folder}/out", "--starts-at", "900"])
    assert "are about AVA's boxes; add --boxes with their list" in capsys.readouterr().err
