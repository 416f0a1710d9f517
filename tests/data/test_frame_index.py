import pytest
import torch
from encode import encode_video, numbered_frames

from vidattn.cli import main
from vidattn.data.errors import VideoDecodeError
from vidattn.data.frame_index import NOTHING, FrameIndex, write_index
from vidattn.data.manifest import Video
from vidattn.data.opening import VideoOpener
from vidattn.data.readers import open_video, unsafe
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

    assert index.known(str(path)) == NOTHING
    with VideoOpener(index=index)(Video(str(path), 0)) as reader:
        assert reader.num_frames == 24


@pytest.fixture
def intra_refreshed(tmp_path, monkeypatch):
    """A video whose keyframes are none, of which no reader of this process has heard."""
    monkeypatch.setattr(unsafe, "_unsafe", set())
    options = {"x264-params": "intra-refresh=1:keyint=15:bframes=2"}
    return str(encode_video(tmp_path / "videos.mp4", numbered_frames(60), options=options))


@pytest.mark.parametrize("timeout", [None, 30.0])
def test_files_found_unsafe_are_not_sought_in_by_the_next_run(tmp_path, monkeypatch, intra_refreshed, timeout):
    main(["check", intra_refreshed, "--out", str(tmp_path / "out"), "--workers", "0"])
    index = FrameIndex(tmp_path / "out" / "index.json")
    assert index.known(intra_refreshed).unsafe

    monkeypatch.setattr(unsafe, "_unsafe", set())
    monkeypatch.setattr(PyAVReader, "_by_seeking", lambda *_: pytest.fail("it was sought in"))
    opener = VideoOpener(timeout=timeout, index=index)
    with opener(Video(intra_refreshed, 0)) as reader, PyAVReader(intra_refreshed) as plain:
        plain.seekable = False
        assert torch.equal(reader.frames([50, 59]), plain.frames([50, 59]))


def test_a_reader_that_seeks_refuses_a_file_found_unsafe(intra_refreshed, tmp_path):
    pytest.importorskip("decord")
    write_index(tmp_path / "index.json", {}, [intra_refreshed])

    with pytest.raises(VideoDecodeError, match="cannot be sought in, which decord does"):
        VideoOpener("decord", index=FrameIndex(tmp_path / "index.json"))(Video(intra_refreshed, 0))


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
