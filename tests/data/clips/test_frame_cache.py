"""Frames that are kept, against those that the reader gives and torchvision resizes."""

import numpy as np
import pytest
import torch
from encode import encode_video
from torchvision.transforms.v2 import functional

from vidattn.data import Decoding, FrameCache, VideoDataModule
from vidattn.data.clips.frame_cache import CachedOpener
from vidattn.data.clips.sampling import StrideSampling
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.opening import VideoOpener
from vidattn.data.videos.manifest import Video


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cached")
    random = np.random.default_rng(0)
    for number in range(2):
        frames = random.integers(0, 255, (6, 32, 48, 3), dtype=np.uint8)
        encode_video(folder / f"{number}.mp4", frames, options={"preset": "ultrafast"})
    return [Video(str(folder / f"{number}.mp4"), number) for number in range(2)]


class Counting(VideoOpener):
    """Notes what it opens."""

    def __init__(self):
        super().__init__()
        self.opened = []

    def __call__(self, video):
        self.opened.append(video.path)
        return super().__call__(video)


def top(picture):
    return picture[:2]


def small(video, side):
    with VideoOpener()(video) as reader:
        frames = reader.frames(range(6)).permute(0, 3, 1, 2)
    return functional.resize(frames, [side], antialias=True).permute(0, 2, 3, 1)


def test_a_video_is_decoded_once_and_reads_as_before(videos):
    opener = Counting()
    cached = CachedOpener(opener, FrameCache(short_side=16))

    for _ in range(3):
        with cached(videos[0]) as reader, VideoOpener()(videos[0]) as plain:
            assert torch.equal(reader.frames([5, 0, 0]), small(videos[0], 16)[[5, 0, 0]])
            assert (reader.path, reader.num_frames, reader.fps) == (plain.path, plain.num_frames, plain.fps)
            assert np.array_equal(reader.times, plain.times)

    assert opener.opened == [videos[0].path]


def test_what_does_not_fit_is_decoded_again_in_the_same_size(videos):
    opener = Counting()
    one = 6 * 16 * 24 * 3
    cached = CachedOpener(opener, FrameCache(short_side=16, gigabytes=1.5 * one / 1e9))

    for video in (*videos, *videos):
        with cached(video) as reader:
            assert torch.equal(reader.frames([3], top), small(video, 16)[[3], :2])

    assert opener.opened == [videos[0].path, videos[1].path, videos[1].path]


def test_small_frames_are_not_enlarged(videos):
    with CachedOpener(VideoOpener(), FrameCache(short_side=100))(videos[0]) as reader:
        assert reader.frames([0]).shape == (1, 32, 48, 3)


@pytest.mark.parametrize("workers", [0, 1])
def test_clips_of_a_loader_are_the_same_with_and_without(videos, workers):
    """Where the frames keep their size, nothing shows but the time."""
    batches = []
    for cache in (None, FrameCache(short_side=32)):
        data = VideoDataModule(
            StrideSampling(2, 1),
            train=videos,
            val=videos,
            image_size=16,
            batch_size=2,
            num_workers=workers,
            cache=cache,
        )
        loader = data.train_dataloader()
        batches.append([next(iter(loader))["video"] for _ in range(2)])
    assert all(torch.equal(one, other) for one, other in zip(*batches, strict=True))


def test_a_broken_video_is_said_and_nothing_is_kept_of_it(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"nothing" * 100)
    cached = CachedOpener(VideoOpener(), FrameCache(short_side=16))

    for _ in range(2):
        with pytest.raises(VideoDecodeError, match=r"broken\.mp4"):
            cached(Video(str(tmp_path / "broken.mp4"), None))


def test_numbers_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="short_side=0 must be at least 1"):
        FrameCache(short_side=0)
    with pytest.raises(ValueError, match="gigabytes"):
        FrameCache(short_side=8, gigabytes=0)
    assert Decoding(cache=FrameCache(8)).opener().cache == FrameCache(8)
