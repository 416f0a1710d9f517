import errno
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import active_children, get_context
from pathlib import Path

import pytest
import torch
from encode import encode_video, numbered_frames
from PIL import Image
from prepare_run import prepared_frames, run, run_without_processes

from vidattn import processes as processes_module
from vidattn.cli import main
from vidattn.data.errors import VideoDecodeError
from vidattn.data.prepare import transcode_all as pool_module
from vidattn.data.prepare.transcode import Transcoding
from vidattn.data.readers import open_video
from vidattn.data.videos.manifest import read_manifest
from vidattn.data.videos.shards import read_shards


@pytest.fixture
def one_process(monkeypatch):
    """Threads stand for processes, which take seconds to start."""
    monkeypatch.setattr(processes_module, "ProcessPoolExecutor", lambda count, **_: ThreadPoolExecutor(count))


@pytest.mark.usefixtures("one_process")
def test_a_prepared_set_has_the_videos_labels_and_segments_of_the_old_one(dataset, tmp_path, capsys):
    report = run(dataset, tmp_path / "out")

    manifest = read_manifest(tmp_path / "out" / "manifest.csv")
    assert manifest.class_names == ["a", "b"]
    assert [video.label for video in manifest.videos] == [0, 0, 1, 1, 1, 1, 1]
    firsts = []
    for video in manifest.videos:
        with open_video(video.path) as opened:
            assert opened.num_frames == 10
            assert opened.fps == 30
            assert opened.frames([0]).shape == (1, 48, 64, 3)
        firsts.append(os.path.relpath(video.path, tmp_path / "out" / "videos"))
    assert firsts[:5] == ["a/0.mp4.mp4", "a/0.mp4", "b/1.mp4", "b/2.mp4", "b/deep/3.mp4"]
    assert (manifest.videos[-1].start_frame, manifest.videos[-1].end_frame) == (3, 6)
    assert list(report["failed"]) == [str(dataset / "b" / "broken.mp4")]
    assert report["bytes_before"] == sum(
        path.stat().st_size for path in dataset.rglob("*.m*") if path.name != "broken.mp4"
    )
    assert report["clips_per_second_after"] > 0
    output = capsys.readouterr().out
    assert "broken.mp4: cannot open it as a video" in output
    assert "size (MB)" in output


@pytest.mark.usefixtures("one_process")
def test_a_run_that_was_broken_off_goes_on(dataset, tmp_path, capsys):
    out = tmp_path / "out"
    run(dataset, out)
    finished = out / "videos" / "b" / "1.mp4"
    missing = out / "videos" / "b" / "2.mp4"
    untouched = finished.stat().st_mtime_ns
    missing.rename(missing.with_name("2.mp4.part"))  # as a kill leaves it
    missing.with_name("2.mp4.part").write_bytes(b"half")
    changed = dataset / "b" / "4.mp4"
    encode_video(changed, numbered_frames(7, 96, 128), options={"preset": "ultrafast"})

    report = run(dataset, out)

    assert "there already: 4 of 7 videos" in capsys.readouterr().out
    assert report["videos"] == 6
    assert finished.stat().st_mtime_ns == untouched
    with open_video(missing) as video:
        assert video.num_frames == 10
    with open_video(out / "videos" / "b" / "4.mp4") as video:
        assert video.num_frames == 7  # its source was written anew
    assert not list(out.rglob("*.part"))
    with pytest.raises(SystemExit):
        run(dataset, out, "--keyframe_every", "4")
    assert "was prepared with other settings: keyframe_every=8, not keyframe_every=4;" in capsys.readouterr().err


@pytest.mark.usefixtures("one_process")
def test_shards_hold_the_prepared_videos_in_mixed_order(dataset, tmp_path):
    report = run(dataset, tmp_path / "out", "--shards", "5")

    videos = read_shards(str(tmp_path / "out" / "shards" / "shards.json")).videos
    assert report["shards"] == len({video.path.split("#")[0] for video in videos}) == 5
    listed = read_manifest(tmp_path / "out" / "manifest.csv").videos
    names = [video.path.split("#")[2] for video in videos]
    assert names != sorted(names)
    assert sorted(names) == sorted(os.path.relpath(video.path, tmp_path / "out" / "videos") for video in listed)
    for video, name in zip(videos, names, strict=True):
        with open_video(video.path) as opened, open_video(tmp_path / "out" / "videos" / name) as file:
            assert torch.equal(opened.frames([9]), file.frames([9]))
    segment = next(video for video in videos if video.start_frame is not None)
    assert (segment.start_frame, segment.end_frame) == (3, 6)


def test_names_that_are_no_text_stay_what_they_are(clip, tmp_path):
    folder = os.fsencode(tmp_path / "d")
    os.mkdir(folder)
    os.mkdir(folder + b"/\xe9")
    os.rename(clip("a.mp4", 5), folder + b"/\xe9/\xe8.mp4")

    run_without_processes(tmp_path / "d", tmp_path / "out")

    assert b"videos/\xe8.mp4,\xe9" in (tmp_path / "out" / "manifest.csv").read_bytes()
    assert json.loads((tmp_path / "out" / "classes.txt").read_text()) == {"\udce9": 0}
    (video,) = read_manifest(tmp_path / "out" / "manifest.csv", class_names=tmp_path / "out" / "classes.txt").videos
    assert os.path.isfile(video.path)


def test_brackets_in_names_are_shown(clip, tmp_path, capsys):
    clip("set/x [y]/a.mp4", 5)
    (tmp_path / "list.csv").write_text("set/x [y]/a.mp4,x [y]\ngone.mp4,z [gone]\n")

    prepared_frames(tmp_path / "list.csv", tmp_path / "out [v1]")

    output = capsys.readouterr().out
    assert "z [gone]" in output
    assert f"--data.train {tmp_path}/out [v1]/manifest.csv --data.class_names {tmp_path}/out [v1]/classes.txt" in output


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("out/list.csv", "out/list.csv itself, which must stay as it is; give another folder"),
        ("out", "out itself"),
        ("list.csv", "out/videos/a.mp4 would be overwritten"),
        ("other", "out/manifest.csv is there already, and vidattn prepare did not write it"),
    ],
)
def test_a_folder_that_holds_the_sources_or_other_lists_is_refused(clip, tmp_path, capsys, data, message):
    clip("out/videos/a.mp4", 5)
    clip("other/a.mp4", 5)
    (tmp_path / "out" / "list.csv").write_text("videos/a.mp4 x\n")
    (tmp_path / "list.csv").write_text("out/videos/a.mp4 x\n")
    if data == "other":
        (tmp_path / "out" / "manifest.csv").write_text("mine")
    files = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}

    with pytest.raises(SystemExit) as exit:
        prepared_frames(tmp_path / data, tmp_path / "out")

    assert exit.value.code == 2
    assert message in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")} == files


def test_ctrl_c_ends_at_once_and_leaves_nothing_half_written(dataset, tmp_path, monkeypatch, capsys):
    def interrupt(self, source, target, folder_fps=None):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_name(target.name + ".part").write_bytes(b"half")
        if source.endswith("a/0.mp4"):
            os.kill(os.getppid(), signal.SIGINT)
        time.sleep(60)

    monkeypatch.setattr(Transcoding, "run", interrupt)
    monkeypatch.setattr(pool_module, "get_context", lambda method: get_context("fork"))
    before, began = active_children(), time.monotonic()
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it

    with pytest.raises(SystemExit) as exit:
        run(dataset, tmp_path / "out")
    signal.signal(signal.SIGINT, handler)

    assert exit.value.code == 130
    assert time.monotonic() - began < 30
    assert "vidattn prepare: interrupted; give the same command again to go on\n" in capsys.readouterr().err
    assert active_children() == before
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--preset=nonsense", "preset=nonsense is none of x264's: ultrafast, "),
        ("--keyframe_every=0", "keyframe_every=0 must be 1 frame or more"),
        ("--short_side=0", "short_side=0 must be 2 pixels or more"),
        ("--crf=99", "crf=99 must be from 0, the best, to 51"),
        ("--workers=-1", "workers=-1 must be 0, for none, or more"),
        ("--folder_fps=0", "folder_fps=0.0 must be more than 0"),
    ],
)
def test_values_are_checked_before_anything_is_written(tmp_path, capsys, words, message):
    with pytest.raises(SystemExit) as exit:
        main(["prepare", str(tmp_path), "--out", str(tmp_path / "out"), words])

    assert exit.value.code == 2
    assert f"vidattn prepare: {message}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_run_in_which_nothing_succeeds_fails_and_does_not_bind_the_next(clip, tmp_path, monkeypatch, capsys):
    clip("d/a.mp4", 5)

    def fail(self, source, target, folder_fps=None):
        raise VideoDecodeError(source, "no luck")

    monkeypatch.setattr(Transcoding, "run", fail)
    with pytest.raises(SystemExit, match="2"):
        run_without_processes(tmp_path / "d", tmp_path / "out", "--crf=20")
    assert "vidattn prepare: none of these videos could be prepared" in capsys.readouterr().err

    assert not (tmp_path / "out" / "manifest.csv").exists()
    monkeypatch.undo()
    run_without_processes(tmp_path / "d", tmp_path / "out", "--crf=30")
    assert len(read_manifest(tmp_path / "out" / "manifest.csv").videos) == 1


def test_folders_of_pictures_are_prepared_and_the_classes_of_missing_videos_kept(tmp_path, capsys):
    (tmp_path / "v").mkdir()
    for number, image in enumerate(numbered_frames(5)):
        Image.fromarray(image).save(tmp_path / "v" / f"img_{number:05d}.png")
    (tmp_path / "list.txt").write_text("v 5 2\ngone 5 0\n")
    size = sum(path.stat().st_size for path in (tmp_path / "v").iterdir())

    run_without_processes(tmp_path / "list.txt", tmp_path / "out")

    report = json.loads((tmp_path / "out" / "prepare.json").read_text())
    assert report["bytes_before"] == size
    assert report["clips_per_second_before"] > 0
    words = f"--data.train {tmp_path}/out/manifest.csv --data.class_names {tmp_path}/out/classes.txt"
    assert f"1 video: {words}\n" in capsys.readouterr().out
    manifest = read_manifest(tmp_path / "out" / "manifest.csv", class_names=tmp_path / "out" / "classes.txt")
    assert [video.label for video in manifest.videos] == [2]
    run_without_processes(tmp_path / "list.txt", tmp_path / "out")
    assert "there already: 1 of 1 video" in capsys.readouterr().out
    os.utime(tmp_path / "v" / "img_00003.png", (1, 1))  # extracted again
    run_without_processes(tmp_path / "list.txt", tmp_path / "out")
    assert "there already" not in capsys.readouterr().out


def test_shards_of_an_earlier_run_are_written_anew(clip, tmp_path, capsys):
    for name in ("set/a/0.mp4", "set/b/1.mp4", "set/b/2.mp4"):
        clip(name, 5)
    run_without_processes(tmp_path / "set", tmp_path / "out", "--shards=2")
    (tmp_path / "set" / "b" / "1.mp4").unlink()
    clip("set/a/3.mp4", 7)

    run_without_processes(tmp_path / "set", tmp_path / "out")

    assert "writing 2 shards anew" in capsys.readouterr().out
    names = [Path(video.path).name for video in read_shards(str(tmp_path / "out" / "shards" / "shards.json")).videos]
    assert sorted(names) == ["0.mp4", "2.mp4", "3.mp4"]
    assert json.loads((tmp_path / "out" / "prepare.json").read_text())["shards"] == 2


def test_what_would_be_read_again_as_a_class_and_what_is_written_already_are_refused(clip, tmp_path, capsys):
    clip("set/a/0.mp4", 5)
    shards = tmp_path / "shards.json"
    shards.write_text("{}")

    for data, message in ((tmp_path / "set", "set/out lies in "), (shards, "shards.json holds shards; give the list")):
        with pytest.raises(SystemExit):
            run_without_processes(data, tmp_path / "set" / "out")
        assert message in capsys.readouterr().err
    assert not (tmp_path / "set" / "out").exists()


def test_a_folder_of_pictures_that_cannot_be_read_fails_alone(tmp_path, monkeypatch, capsys):
    def locked(function):
        def call(path="."):
            if os.fspath(path) == str(tmp_path / "locked"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            return function(path)

        return call

    for name in ("v", "locked"):
        (tmp_path / name).mkdir()
        for number, image in enumerate(numbered_frames(3)):
            Image.fromarray(image).save(tmp_path / name / f"img_{number:05d}.png")
    (tmp_path / "list.txt").write_text("v 3 0\nlocked 3 1\n")
    monkeypatch.setattr(os, "scandir", locked(os.scandir))  # tests may be run by root, who may read anything
    monkeypatch.setattr(os, "listdir", locked(os.listdir))

    with pytest.raises(SystemExit) as exit:
        run_without_processes(tmp_path / "list.txt", tmp_path / "out")

    assert exit.value.code == 1
    assert "locked: cannot open the folder (Permission denied); check the path" in capsys.readouterr().out
    assert [video.label for video in read_manifest(tmp_path / "out" / "manifest.csv").videos] == [0]


@pytest.mark.parametrize("command", [["prepare", "nowhere"], ["bench-loader", "nowhere"]])
def test_a_list_that_is_not_there_ends_in_one_line(command, capsys):
    with pytest.raises(SystemExit) as exit:
        main(command)

    assert exit.value.code == 2
    assert f"vidattn {command[0]}: nowhere does not exist; expected a list of videos" in capsys.readouterr().err
