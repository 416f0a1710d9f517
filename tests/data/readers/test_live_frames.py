import os
from itertools import count

import av
import numpy as np
import pytest
from foreseen import plain_video

from vidattn import open_video
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.live_frames import LiveFrames, _AsItComes


@pytest.mark.parametrize("name", ["odd/rotation_90.mov", "odd/variable_frame_rate.mp4", "codecs/vp9.webm"])
def test_frames_and_times_are_those_of_reading_the_file(shared_videos, name):
    path = shared_videos / name
    frames = LiveFrames(path)
    with open_video(path) as reader:
        wanted, times = reader.frames(range(3)).numpy(), reader.times[:3]

    found = [(seconds, picture.copy()) for (seconds, picture), _ in zip(frames, range(3), strict=False)]
    frames.close()

    np.testing.assert_array_equal([picture for _, picture in found], wanted)
    np.testing.assert_allclose([seconds - found[0][0] for seconds, _ in found], times, atol=1e-6)


def test_a_device_of_ffmpegs_is_read_without_an_end():
    frames = LiveFrames("testsrc=size=64x48:rate=10", format="lavfi")

    found = [(seconds, picture.shape) for (seconds, picture), _ in zip(frames, range(15), strict=False)]
    frames.close()

    assert found == [(pytest.approx(place / 10), (48, 64, 3)) for place in range(15)]
    assert frames.fps == 10


def test_a_packet_that_does_not_decode_is_passed_over(tmp_path):
    path = plain_video(tmp_path / "a.mp4", [30] * 9)
    frames, numbers = LiveFrames(path), count()

    class Damaging:
        """The container, whose fourth packet does not decode."""

        def __init__(self, container):
            self.container = container
            self.close = container.close

        def demux(self, stream):
            for packet in self.container.demux(stream):
                yield Damaged() if next(numbers) == 3 else packet

    class Damaged:
        def decode(self):
            raise av.InvalidDataError(1, "damaged")

    frames._container = Damaging(frames._container)

    assert 0 < len(list(frames)) < 9
    assert frames.damaged == 1


def test_bytes_of_a_pipe_are_read_as_they_come():
    out, into = os.pipe()
    with os.fdopen(out, "rb") as stream, os.fdopen(into, "wb", buffering=0) as writer:
        writer.write(b"0123456789")
        assert _AsItComes(stream).read(32768) == b"0123456789"  # a buffer's own read would wait for more


def test_frames_without_a_rate_have_no_time_and_those_with_one_have():
    frames = [np.zeros((4, 6, 3), np.uint8)] * 3

    assert [seconds for seconds, _ in LiveFrames(iter(frames))] == [None] * 3
    assert [seconds for seconds, _ in LiveFrames(frames, fps=2)] == [0, 0.5, 1]


def test_what_sends_no_video_is_refused(shared_videos):
    with pytest.raises(VideoDecodeError, match="it sends no video that FFmpeg knows"):
        LiveFrames(shared_videos / "broken" / "audio_only.mp3")
    with pytest.raises(ValueError, match="3 is no stream; wanted a device"):
        LiveFrames(3)
