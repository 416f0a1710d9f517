import numpy as np
import pytest
import torch
from encode import encode_video, numbered_frames

from vidattn.classify.sources import open_source
from vidattn.data.check.probe import probe
from vidattn.data.clips.dataset import TestViews, TrainClips
from vidattn.data.clips.sampling import UniformSampling
from vidattn.data.clips.transforms import SpatialCrops
from vidattn.data.errors import PassingError, VideoDecodeError
from vidattn.data.readers import open_video, orientation
from vidattn.data.readers.base import VideoReader
from vidattn.data.readers.library_errors import library_errors
from vidattn.data.videos.manifest import Video


class Surprise(Exception):
    """Of a library that nobody has heard of."""


class Surprising(VideoReader):
    def __init__(self, path):
        self.path, self.num_frames, self.fps, self.times = path, 30, 30.0, np.arange(30) / 30

    def frames(self, indices, keep=None):
        raise Surprise("29 is not a valid Type")

    def close(self):
        pass


@pytest.fixture
def opener(tiny_video):
    """Opens b.mp4 as a surprise, c.mp4 not even that, and any other video as the tiny one."""

    def open_one(video):
        if video.path == "c.mp4":
            raise Surprise
        return Surprising(video.path) if video.path == "b.mp4" else open_video(tiny_video)

    return open_one


@pytest.mark.parametrize("name", ["b.mp4", "c.mp4"])
def test_training_and_tests_skip_what_raises_anything(opener, name):
    videos = [Video(name, 0), Video("a.mp4", 1)]
    view = TestViews(videos, UniformSampling(4), 1, 1, 32, opener, "skip")[0]
    clips = TrainClips(videos, UniformSampling(4), [SpatialCrops(32, 1), lambda crops: crops[0]], 32, opener, "skip")

    assert view["skipped"][0][0] == name
    assert "Surprise" in view["skipped"][0][1]
    assert {path for index in range(8) for path, _ in clips[index, 0]["skipped"]} == {name}


def test_a_run_that_does_not_skip_says_which_file_it_was(opener):
    views = TestViews([Video("b.mp4", 0)], UniformSampling(4), 1, 1, 32, opener)

    with pytest.raises(VideoDecodeError, match=r"^b\.mp4: .*Surprise: 29 is not a valid Type.*set on_error: skip"):
        views[0]


@pytest.mark.parametrize("reader", ["pyav", "decord"])
@pytest.mark.parametrize("error", [Surprise("no"), KeyError("x"), ValueError("29 is not a valid Type")], ids=str)
def test_every_reader_names_the_file_over_whatever_its_library_raises(tiny_video, monkeypatch, reader, error):
    def fail(*_, **__):
        raise error

    with open_video(tiny_video) as video:
        monkeypatch.setattr("vidattn.data.readers.pyav.to_rgb", fail)
        with pytest.raises(VideoDecodeError, match=rf"tiny\.mp4: pyav failed \({type(error).__name__}: .*re-encode"):
            video.frames([3])
        with pytest.raises(VideoDecodeError, match=r"tiny\.mp4: pyav failed"):
            list(video.stream([3]))
    monkeypatch.setattr("vidattn.data.readers.pyav.PacketIndex.read", fail)
    with pytest.raises(VideoDecodeError, match=r"tiny\.mp4: .* failed"), open_source(tiny_video, reader, 30.0):
        pass
    found = probe(str(tiny_video), None, 8)
    assert (found.usable, found.problems) == (False, ["unreadable"])


def test_short_memory_and_a_refusing_system_are_not_the_files_fault():
    with pytest.raises(PassingError, match=r"^a\.mp4: there was not enough memory"), library_errors("a.mp4", "pyav"):
        raise MemoryError
    with pytest.raises(PassingError, match=r"^a\.mp4: cannot read it \(Input/out"), library_errors("a.mp4", "pyav"):
        raise OSError(5, "Input/output error")


def test_data_of_a_kind_that_pyav_does_not_know_hides_no_picture(shared_videos):
    with open_video(shared_videos / "odd" / "two_eyed_phone.mp4") as video:
        assert video.frames([0, 9]).shape == (2, 120, 160, 3)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turn_is_read_the_same_from_the_angle_as_from_the_matrix(tmp_path, monkeypatch, degrees):
    path = encode_video(tmp_path / "a.mp4", numbered_frames(3), rotation=degrees)
    with open_video(path) as video:
        expected = video.frames([1])
    monkeypatch.setattr(orientation, "Type", None)  # `Type.DISPLAYMATRIX` cannot be asked for
    monkeypatch.setattr(orientation, "display_matrix", lambda frame: orientation._turn(frame.rotation))
    monkeypatch.setattr("vidattn.data.readers.pyav.display_matrix", orientation.display_matrix)
    with open_video(path) as video:
        assert torch.equal(video.frames([1]), expected)
