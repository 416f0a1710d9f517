import shutil
from pathlib import Path

import pytest
import torch
from backends import need

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video


@pytest.fixture(params=["decord", "torchcodec"])
def other_reader(request) -> str:
    """A backend other than PyAV that loads here."""
    need(request.param)
    return request.param


def test_readers_agree_bit_for_bit(shared_videos, other_reader):
    for name in ("arm_wrestling.mp4", "flipping_pancake.mkv", "kinetics_sample.mp4", "asl/brother.mkv"):
        path = shared_videos / "actions" / name
        with open_video(path) as ours, open_video(path, reader=other_reader) as other:
            assert other.num_frames == ours.num_frames
            assert other.fps == ours.fps
            assert (other.times == ours.times).all()
            indices = [ours.num_frames - 1, 0, 40, 7, 7]
            assert torch.equal(other.frames(indices), ours.frames(indices))


def test_readers_take_bytes_and_check_indices_alike(tiny_video, other_reader):
    with open_video(tiny_video.read_bytes()) as ours, open_video(tiny_video.read_bytes(), other_reader) as other:
        assert torch.equal(other.frames([47, 3]), ours.frames([47, 3]))
        with pytest.raises(IndexError, match="<bytes>: frame 48 was asked, but the video has frames 0 to 47"):
            other.frames([48])
    with pytest.raises(ValueError, match="the reader is closed"):
        other.frames([0])


def test_a_colon_in_a_relative_path_makes_no_protocol(tiny_video, tmp_path, monkeypatch, other_reader):
    monkeypatch.chdir(tmp_path)
    Path("cam1:left").mkdir()
    for name in ("cam1:left/a.mp4", "2024-11-25T10:32.mp4"):
        shutil.copy(tiny_video, name)
        for reader in ("pyav", other_reader):
            with open_video(name, reader=reader) as video, open_video(tiny_video) as same:
                assert torch.equal(video.frames([3]), same.frames([3]))
                assert video.path == name
    Path("a:b.mp4").write_bytes(b"no video")
    with pytest.raises(VideoDecodeError, match=r"^a:b\.mp4: cannot open it"):
        open_video("a:b.mp4", reader=other_reader)


@pytest.mark.parametrize("name", ["codecs/h264_10bit.mp4", "odd/mpeg4_bframes_nonmonotonic_pts.avi"])
def test_other_readers_refuse_what_they_get_wrong(shared_videos, other_reader, name):
    with pytest.raises(VideoDecodeError, match="use reader=pyav"):
        open_video(shared_videos / name, reader=other_reader)


def test_other_readers_return_the_frames_of_sequential_decoding_or_refuse(shared_videos, other_reader):
    verdicts = {}
    for path in sorted(path for folder in ("odd", "codecs", "broken") for path in (shared_videos / folder).iterdir()):
        name = f"{path.parent.name}/{path.name}"
        try:
            with open_video(path, other_reader) as other, open_video(path) as ours:
                last = ours.num_frames - 1
                indices = sorted({0, last // 3, last // 2, last})
                assert torch.equal(other.frames(indices), ours.frames(indices)), name
                verdicts[name] = "same"
        except VideoDecodeError:
            verdicts[name] = "refused"
    assert verdicts["odd/variable_frame_rate.mp4"] == "same"
    assert list(verdicts.values()).count("same") >= 4
    for name in ("codecs/h264_10bit.mp4", "broken/zero_bytes.webm", "broken/audio_only.mp3"):
        assert verdicts[name] == "refused"
