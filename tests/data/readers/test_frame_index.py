import pytest
import torch
from encode import encode_video, numbered_frames

from vidattn.cli import main
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video, unsafe
from vidattn.data.readers.frame_index import NOTHING, FrameIndex, IndexEntry, write_index
from vidattn.data.readers.known import Known
from vidattn.data.readers.opening import VideoOpener
from vidattn.data.readers.packets import PacketIndex
from vidattn.data.readers.pyav import PyAVReader
from vidattn.data.videos.identity import identity
from vidattn.data.videos.manifest import Video


@pytest.fixture
def folder(tmp_path):
    """An AVI whose frames only decoding tells, and an MP4 and an MKV whose packets tell them."""
    (tmp_path / "videos").mkdir()
    encode_video(tmp_path / "videos" / "a.avi", numbered_frames(40), codec="mpeg4", options={"bf": "2"})
    encode_video(tmp_path / "videos" / "b.mp4", numbered_frames(40, width=80), options={"g": "12", "bf": "2"})
    encode_video(tmp_path / "videos" / "c.mkv", numbered_frames(40), options={"x264-params": "keyint=8:open-gop=1"})
    main(["check", str(tmp_path / "videos"), "--out", str(tmp_path / "out"), "--workers", "0"])
    return tmp_path


def test_files_that_must_be_counted_open_without_decoding(folder, monkeypatch):
    path = str(folder / "videos" / "a.avi")
    with open_video(path) as reader:
        expected, times = reader.frames([3, 20]), list(reader.times)
    index = FrameIndex(folder / "out" / "index.json")

    monkeypatch.setattr(PyAVReader, "_count_by_decoding", lambda self: pytest.fail("it was decoded to count"))
    with VideoOpener(index=index)(Video(path, 0)) as reader:
        assert (reader.num_frames, list(reader.times)) == (40, times)
        assert torch.equal(reader.frames([3, 20]), expected)


@pytest.mark.parametrize("name", ["b.mp4", "c.mkv"])
@pytest.mark.parametrize("timeout", [None, 30.0])
def test_files_whose_packets_are_known_open_without_being_read_through(folder, monkeypatch, name, timeout):
    path = str(folder / "videos" / name)
    with open_video(path) as reader:
        expected, times = reader.frames([39, 3, 20, 21]), list(reader.times)
    index = FrameIndex(folder / "out" / "index.json")

    monkeypatch.setattr(PacketIndex, "read", lambda *_: pytest.fail("it was read through"))
    monkeypatch.setattr(PyAVReader, "_decode_all", lambda self: pytest.fail("it was decoded from its start"))
    with VideoOpener(timeout=timeout, index=index)(Video(path, 0)) as reader:
        assert (reader.num_frames, reader.fps, list(reader.times)) == (40, 30, times)
        assert torch.equal(reader.frames([39, 3, 20, 21]), expected)


def test_the_index_tells_count_rate_size_and_keyframes(folder):
    index = FrameIndex(folder / "out" / "index.json")
    assert len(index) == 3

    entry = index.entry(str(folder / "videos" / "b.mp4"))

    assert (entry.num_frames, entry.fps, entry.width, entry.height) == (40, 30, 80, 48)
    assert entry.keyframes == [0, 12, 24, 36]


def test_real_files_read_alike_with_what_is_known_of_them(shared_videos):
    for path in sorted(shared_videos.glob("[aco]*/**/*.*")):
        with PyAVReader(path) as reader:
            wanted = [reader.num_frames - 1, reader.num_frames // 2, 0]
            expected, known = reader.frames(wanted), reader.known
        with PyAVReader(path, known) as reader:
            assert torch.equal(reader.frames(wanted), expected), path


def test_packets_of_another_file_are_noticed(folder):
    path = folder / "videos" / "b.mp4"
    with open_video(path) as reader:
        expected = reader.frames([39])
    encode_video(folder / "other.mp4", numbered_frames(60, width=80), pts=range(0, 180, 3), options={"g": "7"})
    with open_video(folder / "other.mp4") as reader:
        wrong = reader.known

    with PyAVReader(path, wrong) as reader:
        assert torch.equal(reader.frames([39]), expected)
        assert reader.num_frames == 40


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
    entry = IndexEntry(60, 30, 64, 48, [0], Known(unsafe=True), identity(intra_refreshed))
    write_index(tmp_path / "index.json", {intra_refreshed: entry})

    with pytest.raises(VideoDecodeError, match="cannot be sought in, which decord does"):
        VideoOpener("decord", index=FrameIndex(tmp_path / "index.json"))(Video(intra_refreshed, 0))


def test_wrong_times_are_noticed(folder):
    path = str(folder / "videos" / "a.avi")
    with open_video(path) as reader:
        expected, pts = reader.frames([39]), reader.pts

    wrong = PyAVReader(path, Known(pts=[tick + 1 for tick in pts]))
    assert torch.equal(wrong.frames([39]), expected)


# The second as in report.json, the third from another program.
@pytest.mark.parametrize(
    "text", ["[]", '{"files": []}', '{"files": {"a.mp4": {"num_frames": 3}}}', '{"files": {"a": 1}}']
)
def test_another_file_is_no_index(tmp_path, text):
    (tmp_path / "x.json").write_text(text)

    with pytest.raises(ValueError, match=r"x\.json is no index .* vidattn check DATA --out DIR writes one"):
        FrameIndex(tmp_path / "x.json")
