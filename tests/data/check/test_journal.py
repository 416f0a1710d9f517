import json
import shutil

import pytest
from encode import encode_video, numbered_frames

from vidattn.cli import main
from vidattn.data.check import survey as survey_module
from vidattn.data.check.journal import Journal
from vidattn.data.check.probe import Probe, probe
from vidattn.data.readers.frame_index import FrameIndex
from vidattn.data.videos.identity import identity


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
    assert "unchanged since the last check: 5 of 8 videos" in capsys.readouterr().err
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
