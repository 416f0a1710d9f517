import pytest
import torch
from encode import encode_video, numbered_frames

from vidattn.cli import main
from vidattn.data.frame_index import FrameIndex
from vidattn.data.manifest import Video
from vidattn.data.opening import VideoOpener
from vidattn.data.readers import open_video
from vidattn.data.readers.pyav import PyAVReader


@pytest.fixture
def folder(tmp_path):
    """An AVI whose frames only decoding tells, and an MP4 whose packets tell them."""
    (tmp_path / "videos").mkdir()
    encode_video(tmp_path / "videos" / "a.avi", numbered_frames(40), codec="mpeg4", options={"bf": "2"})
    encode_video(tmp_path / "videos" / "b.mp4", numbered_frames(40))
    main(["check", str(tmp_path / "videos"), "--out", str(tmp_path / "out"), "--workers", "0"])
    return tmp_path


def test_files_that_must_be_counted_open_without_decoding(folder, monkeypatch):
    path = str(folder / "videos" / "a.avi")
    with open_video(path) as reader:
        expected, times = reader.frames([3, 20]), list(reader.times)
    index = FrameIndex(folder / "out" / "index.json")
    assert len(index) == 1  # the MP4 needs none

    monkeypatch.setattr(PyAVReader, "_count_by_decoding", lambda self: pytest.fail("it was decoded to count"))
    with VideoOpener(index=index)(Video(path, 0)) as reader:
        assert (reader.num_frames, list(reader.times)) == (40, times)
        assert torch.equal(reader.frames([3, 20]), expected)


def test_a_file_written_anew_is_counted_again(folder):
    path = folder / "videos" / "a.avi"
    index = FrameIndex(folder / "out" / "index.json")
    encode_video(path, numbered_frames(24), codec="mpeg4", options={"bf": "2"})

    assert index.pts(str(path)) is None
    with VideoOpener(index=index)(Video(str(path), 0)) as reader:
        assert reader.num_frames == 24


def test_wrong_times_are_noticed(folder):
    path = str(folder / "videos" / "a.avi")
    with open_video(path) as reader:
        expected, pts = reader.frames([39]), reader.pts

    wrong = PyAVReader(path, [tick + 1 for tick in pts])
    assert torch.equal(wrong.frames([39]), expected)


def test_another_file_is_no_index(tmp_path):
    (tmp_path / "x.json").write_text("[]")

    with pytest.raises(ValueError, match=r"x\.json is no index .* vidattn check DATA --out DIR writes one"):
        FrameIndex(tmp_path / "x.json")
