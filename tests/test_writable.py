import contextlib
import io
import shutil

import numpy as np
import pytest
from encode import encode_video
from small_disk import with_little_room

from vidattn.cli import main
from vidattn.writable import make_folder


def test_a_folder_that_the_system_refuses_is_a_mistake_in_a_line(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ValueError, match=r"file/new: cannot make this folder \(Not a directory\); name another place"):
        make_folder(tmp_path / "file" / "new")


@pytest.mark.parametrize("command", ["make", "prepare", "check"])
def test_a_full_or_read_only_disk_ends_a_command_before_its_work(tmp_path, tiny_video, command):
    words = {"make": ["make", "motion"], "prepare": ["prepare", str(tiny_video)], "check": ["check", str(tiny_video)]}
    place = tmp_path / "small"
    place.mkdir()
    out = place / "out"

    full = with_little_room(place, "20k", lambda: ended([*words[command], "--out", str(out)]))
    read_only = with_little_room(place, "1m", lambda: ended([*words[command], "--out", str(out)]), read_only=True)

    assert f"2 vidattn {command}: {out}: the disk of {place} has 0.0 MB free, and 0.1 MB are needed" in full
    assert f"2 vidattn {command}: {out}: {place} must not be written to; name another place" in read_only


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_disk_that_becomes_full_ends_prepare_at_its_first_file(tmp_path, tiny_video, workers):
    videos, place = tmp_path / "videos", tmp_path / "small"
    videos.mkdir()
    place.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (12, 96, 96, 3), dtype=np.uint8)
    for number in range(4):
        encode_video(videos / f"{number}.mp4", noise)

    words = ["prepare", str(videos), "--out", str(place), "--workers", workers, "--preset", "ultrafast"]
    said = with_little_room(place, "80k", lambda: ended(words))

    assert said.startswith("2 vidattn prepare: ")
    assert "no space left on device; make room there, or name another place" in said
    assert "none of these videos" not in said


def test_prepare_that_failed_at_some_videos_says_so_by_its_status(tmp_path, tiny_video):
    videos = tmp_path / "videos"
    videos.mkdir()
    shutil.copy(tiny_video, videos / "a.mp4")
    (videos / "b.mp4").write_bytes(b"no video" * 100)

    said = ended(["prepare", str(videos), "--out", str(tmp_path / "out"), "--workers", "0", "--preset", "ultrafast"])

    assert said.startswith("1 ")
    assert (tmp_path / "out" / "manifest.csv").read_text().count("a.mp4") == 1


def ended(words):
    """Status and what was said of the end."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), pytest.raises(SystemExit) as end:
        main(words)
    return f"{end.value.code} {said.getvalue()}"
