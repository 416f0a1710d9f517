import csv
import json
import os
from pathlib import Path

import pytest
from encode import encode_video, numbered_frames

from vidattn.cli import main
from vidattn.data.check import survey as survey_module
from vidattn.data.check.probe import Probe
from vidattn.data.readers import open_video
from vidattn.data.readers.quarantine import Quarantine, QuarantinedError
from vidattn.data.videos.manifest import read_manifest

EXPECTED = {
    "train/dance/empty.mp4": ["zero bytes"],
    "train/dance/good.mp4": [],
    "train/dance/headless.mp4": ["unreadable"],
    "train/dance/rotated.mov": ["rotated"],
    "train/dance/short.mp4": ["too short"],
    "train/dance/truncated.mp4": ["truncated"],
    "train/dance/twice.mp4": [],
    "train/dance/uneven.mp4": ["variable rate"],
    "train/jump/gone.mp4": ["missing"],
    "train/jump/good.mp4": [],
    "val/dance/good.mp4": [],
    "val/dance/leak.mp4": [],
    "val/jump/bad.mp4": ["unreadable"],
}


def test_the_report_names_what_is_wrong_with_each_file(videos, checked):
    report = json.loads((checked / "report.json").read_text())

    found = {entry["path"].removeprefix(f"{videos}/"): entry["problems"] for entry in report["files"]}
    assert found == EXPECTED
    assert report["usable"] == 8
    good = next(entry for entry in report["files"] if entry["path"].endswith("train/jump/good.mp4"))
    assert (good["num_frames"], good["fps"], good["width"], good["height"]) == (48, 30, 64, 48)
    assert good["keyframes"] == [0, 12, 24, 36]
    turned = next(entry for entry in report["files"] if entry["path"].endswith("rotated.mov"))
    assert (turned["width"], turned["height"]) == (48, 64)
    assert report["clips_per_second_and_core"] > 0


def test_the_cleaned_lists_hold_what_decodes_and_keep_the_labels(videos, checked):
    train = read_manifest(checked / "clean" / "train.csv", class_names=checked / "clean" / "classes.txt")
    val = read_manifest(checked / "clean" / "val.csv", class_names=checked / "clean" / "classes.txt")

    assert len(train.videos) == 6
    assert train.class_names == val.class_names == ["dance", "jump"]
    assert [video.label for video in train.videos] == [0] * 5 + [1]
    for video in [*train.videos, *val.videos]:
        with open_video(video.path) as reader:
            reader.frames([0, reader.num_frames - 1])


def test_lists_by_absolute_and_by_relative_paths_go_together(videos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(videos)
    monkeypatch.setenv("COLUMNS", "200")
    (videos / "absolute.csv").write_text(f"{videos}/val/dance/good.mp4,dance\n")
    (videos / "relative.csv").write_text("train/jump/good.mp4,jump\nval/dance/good.mp4,dance\n")

    main(["check", "relative.csv", "absolute.csv", "--out", str(tmp_path), "--workers", "0"])

    assert "same in several splits" in " ".join(capsys.readouterr().out.split())
    assert len(read_manifest(tmp_path / "clean" / "absolute.csv").videos) == 1


def test_the_table_says_what_to_do(videos, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    main(["check", str(videos / "train"), "--out", str(tmp_path), "--workers", "0"])

    output = " ".join(capsys.readouterr().out.split())
    assert "6 of 9 videos can be used" in output
    assert "zero bytes" in output
    assert "download it again" in output
    assert "clips a second" in output
    assert f"with --data.class_names {tmp_path}/clean/classes.txt" in output


def test_a_dataset_without_faults_says_so(videos, tmp_path, capsys):
    main(["check", str(videos / "train" / "jump"), "--out", str(tmp_path), "--workers", "0"])

    assert "The video can be used, and nothing is odd about it" in capsys.readouterr().out


def test_names_that_are_no_text_stay_what_they_are(tmp_path, capfdbinary):
    name = os.fsencode(tmp_path) + b"/videos/caf\xe9.mp4"
    (tmp_path / "videos").mkdir()
    os.rename(encode_video(tmp_path / "a.mp4", numbered_frames(4)), os.fsdecode(name))
    broken = os.fsdecode(os.fsencode(tmp_path) + b"/videos/\xe8.mp4")
    Path(broken).write_bytes(b"no video" * 100)

    main(["check", str(tmp_path / "videos"), "--out", str(tmp_path / "out"), "--workers", "0"])

    assert name in (tmp_path / "out" / "clean" / "videos.csv").read_bytes()
    assert rb"caf\udce9.mp4" in capfdbinary.readouterr().out
    assert [video.path for video in read_manifest(tmp_path / "out" / "clean" / "videos.csv").videos] == [
        os.fsdecode(name)
    ]
    with pytest.raises(QuarantinedError):
        Quarantine(tmp_path / "out" / "quarantine.csv").check(broken)
    Quarantine(tmp_path / "out" / "quarantine.csv").drop([broken])
    assert len(Quarantine(tmp_path / "out" / "quarantine.csv")) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--timeout", "0"], "timeout=0 must be more than 0 seconds and at most 2073600 (24 days)"),
        (["--timeout", "nan"], "timeout=nan must be more than 0 seconds and at most 2073600 (24 days)"),
        (["--timeout", "inf"], "timeout=inf must be more than 0 seconds and at most 2073600 (24 days)"),
        (["--workers", "-1"], "workers=-1 must be 0, for none, or more"),
    ],
)
def test_numbers_that_cannot_be_are_told_before_anything_starts(videos, tmp_path, capsys, words, message):
    with pytest.raises(SystemExit) as exit:
        main(["check", str(videos / "train"), "--out", str(tmp_path), "--workers", "2", *words])

    assert exit.value.code == 2
    assert capsys.readouterr().err.endswith(f"vidattn check: {message}\n")


def test_a_list_of_what_could_be_used_before_does_not_stay(tmp_path, capsys):
    (tmp_path / "set" / "dance").mkdir(parents=True)
    path = encode_video(tmp_path / "set" / "dance" / "a.mp4", numbered_frames(20))
    command = ["check", str(tmp_path / "set"), "--out", str(tmp_path / "out"), "--workers", "0"]
    main(command)
    assert (tmp_path / "out" / "clean" / "set.csv").exists()
    path.write_bytes(b"no video" * 100)
    capsys.readouterr()

    main(command)

    assert not (tmp_path / "out" / "clean" / "set.csv").exists()
    assert "train from the lists in clean/" not in capsys.readouterr().out


def test_what_trainings_put_on_the_quarantine_list_stays(videos, tmp_path):
    command = ["check", str(videos / "train" / "dance"), "--out", str(tmp_path), "--workers", "0"]
    main(command)
    quarantine = Quarantine(tmp_path / "quarantine.csv")
    before = len(quarantine)
    quarantine.add({str(videos / "train" / "dance" / "good.mp4"): "took too long"})

    main(command)

    assert len(quarantine) == before + 1


def test_what_a_later_check_finds_good_is_taken_off_the_quarantine_list(videos, tmp_path, monkeypatch):
    path, other = str(videos / "train" / "jump" / "good.mp4"), str(videos / "train" / "dance" / "good.mp4")
    command = ["check", str(videos / "train" / "jump"), "--out", str(tmp_path), "--workers", "0"]
    monkeypatch.setattr(survey_module, "AVAILABLE", False)  # in this process, where the probe is another
    monkeypatch.setattr(survey_module, "probe", lambda path, *_: Probe(path, ["too slow"], usable=False, reason="slow"))
    main(command)
    quarantine = Quarantine(tmp_path / "quarantine.csv")
    quarantine.add({other: "took too long"})  # by a training; not part of this check
    with pytest.raises(QuarantinedError):
        quarantine.check(path)
    monkeypatch.undo()

    main(command)

    quarantine.check(path)
    assert [row["path"] for row in csv.DictReader((tmp_path / "quarantine.csv").open())] == [other]


def test_what_an_interrupted_check_finds_good_is_taken_off_the_quarantine_list(videos, tmp_path, monkeypatch, probed):
    paths = [str(videos / "train" / "dance" / name) for name in ("good.mp4", "twice.mp4")]
    (tmp_path / "list.csv").write_text("".join(f"{path},dance\n" for path in paths))
    Quarantine(tmp_path / "quarantine.csv").add(dict.fromkeys(paths, "too slow"))
    noted = survey_module.probe

    def interrupted(path, *args):
        if probed:
            raise KeyboardInterrupt
        return noted(path, *args)

    monkeypatch.setattr(survey_module, "probe", interrupted)
    with pytest.raises(SystemExit):
        main(["check", str(tmp_path / "list.csv"), "--out", str(tmp_path), "--workers", "0"])

    assert [row["path"] for row in csv.DictReader((tmp_path / "quarantine.csv").open())] == paths[1:]
