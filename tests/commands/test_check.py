"""`vidattn check` against files of which we know what is wrong with them."""

import csv
import errno
import hashlib
import json
import os
import shutil
import signal
import time
from multiprocessing import active_children
from pathlib import Path

import av
import pytest
from encode import encode_video, numbered_frames
from PIL import Image

from vidattn.cli import main
from vidattn.data.check import survey as survey_module
from vidattn.data.check.findings import findings
from vidattn.data.check.journal import Journal
from vidattn.data.check.probe import Probe, probe
from vidattn.data.check.survey import survey
from vidattn.data.prepare.transcode import Transcoding
from vidattn.data.readers import open_video
from vidattn.data.readers.frame_index import FrameIndex
from vidattn.data.readers.quarantine import Quarantine, QuarantinedError
from vidattn.data.videos.identity import identity
from vidattn.data.videos.manifest import Video, read_manifest


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


@pytest.fixture(scope="session")
def checked(videos, tmp_path_factory):
    """What the command leaves, checked by two processes."""
    out = tmp_path_factory.mktemp("checked")
    main(["check", str(videos / "train.csv"), str(videos / "val.csv"), "--out", str(out), "--workers", "2"])
    return out


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


def test_leaks_repeats_and_empty_classes_are_found(videos, checked):
    report = json.loads((checked / "report.json").read_text())

    assert report["same_in_several_splits"] == [
        [str(videos / "train/jump/good.mp4"), str(videos / "val/dance/leak.mp4")]
    ]
    assert report["same_within_a_split"] == [
        [str(videos / "train/dance/good.mp4"), str(videos / "train/dance/twice.mp4")]
    ]
    assert report["classes_without_videos"] == {"val": ["jump"]}


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
    assert found.pop("cut")[:2] == (["unreadable"], False)
    assert f"{cut}: cannot decode it" in next(entry["reason"] for entry in files if entry["path"].endswith("cut"))
    assert found == {
        "good": ([], True, ""),
        "thinned": ([], True, ""),
        "gap": (["pictures missing"], True, "9 is missing"),
        "short": (["pictures missing"], True, "the list says 99 pictures, there are 20"),
        "mixed": (["unreadable"], False, "its pictures differ in size; extract this video again"),
    }
    output = capsys.readouterr().out
    assert "pictures missing" in output
    assert "gap (9 is missing)" in output


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


def test_audio_without_pictures_is_told_apart(shared_videos, tmp_path):
    shutil.copy(shared_videos / "broken" / "audio_only.mp3", tmp_path / "a.mp4")

    assert probe(str(tmp_path / "a.mp4"), None, 8).problems == ["audio only"]


def test_a_file_that_cannot_be_read_does_not_end_the_check(videos, monkeypatch):
    def unreadable(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(hashlib, "file_digest", unreadable)

    found = probe(str(videos / "train" / "jump" / "good.mp4"), None, 8)

    assert (found.problems, found.usable) == (["unreadable"], False)
    assert found.reason == "cannot read it (Permission denied); check the disk and your access"


@pytest.mark.parametrize(
    ("tag", "problem"), [("rotated", "rotated"), ("vfr", "variable rate"), ("zero-byte", "zero bytes")]
)
def test_real_files_are_what_their_manifest_says(shared_videos, tag, problem):
    rows = [row for row in csv.DictReader((shared_videos / "MANIFEST.csv").open()) if tag in row["tags"]]
    assert rows
    for row in rows:
        assert problem in probe(str(shared_videos / row["file"]), None, 1).problems, row["file"]


@pytest.mark.parametrize("name", ["actions/eat.mkv", "odd/unordered_pts.mov", "codecs/hevc.mp4", "codecs/av1.mkv"])
def test_real_files_without_faults_have_none(shared_videos, name):
    path = shared_videos / name.replace("eat", "asl/eat")

    assert probe(str(path), None, 1).problems == []


def test_keyframes_that_are_none_are_unsafe_to_seek(tmp_path):
    # The picture comes back row by row; x264 marks where that begins, and FFmpeg calls it a keyframe.
    options = {"x264-params": "intra-refresh=1:keyint=15:bframes=2"}
    path = encode_video(tmp_path / "a.mp4", numbered_frames(60), options=options)

    assert probe(str(path), None, 8).problems == ["unsafe to seek"]


def test_a_video_that_takes_too_long_does_not_stop_the_others(videos, monkeypatch):
    def slow(path, *args):
        if "slow" in path:
            time.sleep(60)
        return probe(path, *args)

    monkeypatch.setattr(survey_module, "probe", slow)
    slow.__module__, slow.__qualname__ = survey_module.__name__, "probe"  # so that it pickles
    good = str(videos / "train" / "jump" / "good.mp4")

    found = {one.path: one.problems for one in survey([Video("slow.mp4", 0), Video(good, 0)], 8, 0, timeout=2)}

    assert found == {"slow.mp4": ["too slow"], good: []}


def test_a_process_that_is_killed_costs_no_more_than_the_video_that_kills_it_twice(videos, tmp_path, monkeypatch):
    def deadly(path, *args):
        name = os.path.basename(path)
        if name == "deadly.mp4" or (name == "once.mp4" and not (tmp_path / "killed").exists()):
            (tmp_path / "killed").touch()
            os.kill(os.getppid(), signal.SIGKILL)  # the process of the pool: this one is its watchdog's
        return Probe(path)

    monkeypatch.setattr(survey_module, "probe", deadly)
    deadly.__module__, deadly.__qualname__ = survey_module.__name__, "probe"  # so that it pickles
    names = ["a.mp4", "once.mp4", "deadly.mp4", *(f"{number}.mp4" for number in range(9))]

    found = list(survey([Video(name, 0) for name in names], 8, 2, timeout=20))

    assert sorted(one.path for one in found) == sorted(names)
    (bad,) = [one for one in found if not one.usable]
    assert (bad.path, bad.problems) == ("deadly.mp4", ["unreadable"])
    assert "its process was killed in each of two attempts, as happens when memory is short" in bad.reason


def test_ctrl_c_ends_at_once_and_leaves_no_processes(videos, tmp_path, monkeypatch, capsys):
    def interrupt(path, *args):
        if path.endswith("dance/empty.mp4"):
            os.kill(parent, signal.SIGINT)
        time.sleep(60)

    parent = os.getpid()
    monkeypatch.setattr(survey_module, "probe", interrupt)
    interrupt.__module__, interrupt.__qualname__ = survey_module.__name__, "probe"
    before, began = active_children(), time.monotonic()
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it

    with pytest.raises(SystemExit) as exit:
        main(["check", str(videos / "train"), "--out", str(tmp_path), "--workers", "2"])
    signal.signal(signal.SIGINT, handler)

    assert exit.value.code == 130
    assert time.monotonic() - began < 30
    assert "vidattn check: interrupted" in capsys.readouterr().err
    assert active_children() == before


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


def test_the_same_file_in_two_splits_is_a_leak(videos):
    manifest = read_manifest(videos / "val.csv")
    probes = list(survey(manifest.videos, 8, 0, timeout=None))

    result = findings({"train": manifest, "test": manifest}, probes)

    assert [str(videos / "val/dance/good.mp4")] in result.leaks


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


def test_a_second_check_looks_only_at_what_has_changed(videos, tmp_path, capsys, probed):
    shutil.copytree(videos / "train" / "dance", tmp_path / "dance")
    command = ["check", str(tmp_path / "dance"), "--out", str(tmp_path / "out"), "--workers", "0"]
    main(command)
    first = json.loads((tmp_path / "out" / "report.json").read_text())
    assert len(probed) == 8
    probed.clear()
    encode_video(tmp_path / "dance" / "headless.mp4", numbered_frames(48))
    capsys.readouterr()

    main(command)

    assert sorted(probed) == ["empty.mp4", "headless.mp4", "truncated.mp4"]  # changed, or could not be used
    assert "5 of 8 videos have not changed since the last check" in capsys.readouterr().err
    second = json.loads((tmp_path / "out" / "report.json").read_text())
    assert second["usable"] == first["usable"] + 1
    assert [a for a in first["files"] if a not in second["files"]] == [
        next(a for a in first["files"] if a["path"].endswith("headless.mp4"))
    ]
    main([*command, "--min-frames", "4"])  # another question: all anew
    assert len(probed) == 3 + 8


def test_a_check_that_was_broken_off_goes_on(videos, tmp_path, monkeypatch, probed, capsys):
    command = ["check", str(videos / "train" / "dance"), "--out", str(tmp_path), "--workers", "0"]
    noted = survey_module.probe

    def interrupted(path, *args):
        if len(probed) == 3:
            raise KeyboardInterrupt
        return noted(path, *args)

    monkeypatch.setattr(survey_module, "probe", interrupted)
    with pytest.raises(SystemExit) as exit:
        main(command)
    assert exit.value.code == 130
    assert "interrupted; give the same command again to go on" in capsys.readouterr().err
    with (tmp_path / "journal.jsonl").open("a") as stream:
        stream.write('{"how": [2,')  # of a process that was killed while it wrote
    monkeypatch.setattr(survey_module, "probe", noted)

    main(command)

    assert set(probed[:3]) & set(probed[3:]) == {"empty.mp4", "headless.mp4"}  # what could not be used
    assert len(set(probed)) == 8
    assert json.loads((tmp_path / "report.json").read_text())["videos"] == 8


def test_what_could_not_be_used_is_looked_at_again(tmp_path):
    path = str(encode_video(tmp_path / "a.mp4", numbered_frames(3)))
    journal = Journal(tmp_path / "journal.jsonl", 8)
    journal.add(Probe(path, ["unreadable"], usable=False, file=identity(path)))
    assert Journal(tmp_path / "journal.jsonl", 8).find(path) is None

    journal.add(Probe(path, ["too short"], file=identity(path)))
    assert Journal(tmp_path / "journal.jsonl", 8).find(path).problems == ["too short"]


def test_a_file_replaced_during_the_check_is_not_taken_for_the_old_one(tmp_path, monkeypatch):
    (tmp_path / "videos").mkdir()
    path = encode_video(tmp_path / "videos" / "a.mp4", numbered_frames(20))

    def replaced(*args):
        found = probe(*args)
        encode_video(path, numbered_frames(60))
        return found

    monkeypatch.setattr(survey_module, "probe", replaced)
    monkeypatch.setattr(survey_module, "AVAILABLE", False)
    main(["check", str(tmp_path / "videos"), "--out", str(tmp_path / "out"), "--workers", "0"])

    assert FrameIndex(tmp_path / "out" / "index.json").entry(str(path)) is None
    assert Journal(tmp_path / "out" / "journal.jsonl", 8).find(str(path)) is None


def test_rows_that_say_a_video_again_or_with_another_label_are_found(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    for name in "nm":
        encode_video(tmp_path / f"{name}.mp4", numbered_frames(60))
    rows = [
        "label,youtube_id,time_start,time_end,split",
        *(f"{name},n,0,1,train" for name in ("jump", "jump", "dance")),
    ]
    rows += ["jump,m,0,1,train", "jump,m,1,2,train"]  # two segments
    (tmp_path / "train.csv").write_text("\n".join(rows))
    (tmp_path / "several.txt").write_text("n.mp4 0 1\nm.mp4 1\n")

    main(["check", str(tmp_path / "train.csv"), str(tmp_path / "several.txt"), "--out", str(tmp_path), "--workers=0"])

    report = json.loads((tmp_path / "report.json").read_text())
    assert report["listed_twice"] == report["rows_with_other_labels"] == {"train": [str(tmp_path / "n.mp4")]}
    output = capsys.readouterr().out
    assert "listed twice in train" in output
    assert "rows with other labels in train" in output


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


def test_what_an_edit_list_hides_is_not_missing(tmp_path):
    """As `ffmpeg -ss 3 -i IN -c copy OUT.mp4` writes it: the packets since the keyframe are there, and not shown."""
    whole = encode_video(tmp_path / "whole.mp4", numbered_frames(120), options={"g": "100", "bf": "0"})
    cut = tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(cut), "w") as target:
        video = source.streams.video[0]
        stream = target.add_stream_from_template(video)
        shift = round(2 / video.time_base)
        for packet in source.demux(video):
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
                target.mux(packet)
    found = probe(str(cut), None, 8)

    with open_video(cut) as reader:
        assert reader.num_hidden == 60
    assert found.num_frames == 60
    assert "truncated" not in found.problems


def test_pixels_that_are_not_square_are_told_and_kept(tmp_path):
    path, small = tmp_path / "wide.mp4", tmp_path / "small.mp4"
    plain = encode_video(tmp_path / "plain.mp4", numbered_frames(24))
    encode_video(path, numbered_frames(24), options={"aspect": "2"})
    Transcoding(short_side=24).run(str(path), small)

    with open_video(path) as wide, open_video(plain) as square, open_video(small) as prepared:
        assert (wide.pixel_aspect, prepared.pixel_aspect, square.pixel_aspect) == (2, 2, None)
        assert wide.frames([3]).shape == square.frames([3]).shape
    with open_video(path, "decord") as other:
        assert other.frames([3]).shape == (1, 48, 64, 3)
    assert probe(str(path), None, 8).problems == ["pixels not square"]
    assert probe(str(plain), None, 8).problems == []
