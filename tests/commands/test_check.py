import json
import os

from encode import encode_video, numbered_frames
from PIL import Image

from vidattn.cli import main


def test_folders_of_pictures_are_looked_through(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    picture = Image.fromarray(numbered_frames(1)[0])
    every_fifth = [0, 5, 10, 15, 20, 25, 30, 35]
    numbers = {"good": range(20), "thinned": every_fifth, "gap": [*range(9), *range(10, 21)], "short": range(20)}
    numbers |= {"cut": range(20), "mixed": range(20)}
    for name, names in numbers.items():
        (tmp_path / name).mkdir()
        for number in names:
            picture.save(tmp_path / name / f"img_{number:05d}.jpg")
    cut = tmp_path / "cut" / "img_00003.jpg"  # none of the clip of which the speed is measured
    cut.write_bytes(cut.read_bytes()[:300])
    picture.crop((0, 0, 32, 32)).save(tmp_path / "mixed" / "img_00001.jpg")
    listed = {name: len(names) for name, names in numbers.items()} | {"short": 99}
    (tmp_path / "train.txt").write_text("".join(f"{name} {count} 0\n" for name, count in listed.items()))

    main(["check", str(tmp_path / "train.txt"), "--out", str(tmp_path / "out"), "--workers", "0"])

    files = json.loads((tmp_path / "out" / "report.json").read_text())["files"]
    found = {os.path.basename(entry["path"]): (entry["problems"], entry["usable"], entry["reason"]) for entry in files}
    assert found.pop("cut")[:2] == (["pictures unclear"], False)
    assert f"{cut}: cannot decode it" in next(entry["reason"] for entry in files if entry["path"].endswith("cut"))
    assert found == {
        "good": ([], True, ""),
        "thinned": ([], True, ""),
        "gap": (["pictures missing"], True, "9 is missing"),
        "short": (["pictures missing"], True, "the list says 99 pictures, there are 20"),
        "mixed": (["pictures unclear"], False, "its pictures differ in size; extract this video again"),
    }
    output = capsys.readouterr().out
    assert "pictures missing" in output
    assert "gap (9 is missing)" in output


def test_brackets_in_names_are_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "set [v2]" / "a [b]").mkdir(parents=True)
    encode_video(tmp_path / "set [v2]" / "a [b]" / "Title [dQw4w9].mp4", numbered_frames(3))

    main(["check", str(tmp_path / "set [v2]"), "--out", str(tmp_path / "out [mk]"), "--workers", "0"])

    output = capsys.readouterr().out
    assert "│ Title [dQw4w9].mp4 │" in output
    assert f"in {tmp_path}/set [v2]/a [b]" in output
    assert f"are in {tmp_path}/out [mk]\n" in output
    assert f"--data.class_names {tmp_path}/out [mk]/clean/classes.txt" in output
