import ctypes
import math
import os
import signal
import time
from collections import Counter

import av
import pytest
import torch
from encode import encode_video, numbered_frames

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import guarded, open_video
from vidattn.data.readers.base import VideoReader

pytestmark = pytest.mark.skipif(not guarded.AVAILABLE, reason="forks and kernel timers: Linux only")


GIVEN_UP = r"more than 0\.5 seconds in each of two attempts and was given up"


@pytest.fixture
def watch():
    """A maker of watchdogs, ended after the test."""
    made = []

    def make(open_it=open_video, seconds=0.5):
        made.append(guarded.Watchdog(seconds, open_it))
        return made[-1]

    yield make
    for one in made:
        one.close()


def open_files(pid):
    """What it has open; with what it inherited from the test's own process."""
    return sorted(os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))


def test_a_watchdog_waits_as_long_as_a_timer_can_and_no_longer(watch, tiny_video):
    assert watch(seconds=guarded.LONGEST).open(str(tiny_video)).num_frames > 0
    for seconds in (guarded.LONGEST + 1, math.inf, math.nan):
        with pytest.raises(ValueError, match=r"must be more than 0 seconds, at most 2073600 \(24 days\)"):
            watch(seconds=seconds)


def hang_holding_the_interpreter_lock(path):
    ctypes.PyDLL(None).sleep(60)  # no other Python thread can run meanwhile


def hang_on_a_pipe(path):
    av.open(path)  # opening a FIFO that nobody writes to blocks in the kernel


def hang_in_python(path):
    time.sleep(60)


@pytest.mark.parametrize("hang", [hang_holding_the_interpreter_lock, hang_on_a_pipe, hang_in_python])
def test_a_reader_that_hangs_is_killed_and_the_next_video_is_read(watch, tmp_path, tiny_video, hang):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    watchdog = watch(lambda path: hang(path) if path == str(fifo) else open_video(path))
    began = time.monotonic()

    with pytest.raises(VideoDecodeError, match=rf"fifo: .*{GIVEN_UP}"):
        watchdog.open(str(fifo))

    assert time.monotonic() - began < 20
    expected = open_video(tiny_video).frames([0, 47, 3])
    assert torch.equal(watchdog.open(str(tiny_video)).frames([0, 47, 3]), expected)


class HangsInFrames(VideoReader):
    path, num_frames, fps, times = "x", 5, 1.0, None

    def frames(self, indices):
        time.sleep(60)

    def close(self):
        pass


def test_decoding_that_hangs_is_killed(watch):
    reader = watch(lambda path: HangsInFrames()).open("x")

    with pytest.raises(VideoDecodeError, match=GIVEN_UP):
        reader.frames([0])
    with pytest.raises(VideoDecodeError, match="has died; open the video again"):
        reader.frames([0])


def killed(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("stop", "value"),
    [(time.sleep, 60), (killed, signal.SIGKILL), (killed, signal.SIGTERM)],
    ids=["pause", "kill", "end"],
)
def test_what_is_stopped_once_from_outside_is_tried_again_by_a_new_helper(watch, tmp_path, tiny_video, stop, value):
    stops = [tmp_path / "in_open", tmp_path / "in_frames"]

    def stop_once(marker):
        if not marker.exists():
            marker.touch()
            stop(value)

    class Stopping(VideoReader):
        def __init__(self, path):
            stop_once(stops[0])
            self.reader = open_video(path)
            self.path, self.num_frames = path, self.reader.num_frames
            self.fps, self.times = self.reader.fps, self.reader.times

        def frames(self, indices):
            stop_once(stops[1])
            return self.reader.frames(indices)

        def close(self):
            self.reader.close()

    reader = watch(Stopping).open(str(tiny_video))

    assert torch.equal(reader.frames([0, 47, 3]), open_video(tiny_video).frames([0, 47, 3]))
    assert all(marker.exists() for marker in stops)


def test_a_helper_that_is_killed_twice_over_a_video_is_an_error_of_that_video(watch, tiny_video):
    watchdog = watch(lambda path: killed(signal.SIGKILL) if path == "big" else open_video(path))

    with pytest.raises(
        VideoDecodeError, match=r"^big: .* killed in each of two attempts, as happens when memory is sho"
    ):
        watchdog.open("big")
    assert watchdog.open(str(tiny_video)).num_frames == 48


def test_one_helper_serves_many_videos_and_keeps_no_file_open(watch, tiny_video):
    watchdog = watch(seconds=30)
    with watchdog.open(str(tiny_video)) as reader:
        helper = watchdog._helper.pid
        assert list(reader.times) == list(open_video(tiny_video).times)
    before = open_files(helper)
    for _ in range(5):
        with watchdog.open(str(tiny_video)) as reader:
            reader.frames([1, 2])

    assert watchdog._helper.pid == helper
    assert not Counter(open_files(helper)) - Counter(before)  # what it inherited may have been closed since


def test_a_video_that_needs_less_than_the_limit_in_each_step_is_not_given_up(watch, tmp_path):
    path = encode_video(tmp_path / "a.mp4", numbered_frames(8))
    watchdog = watch(lambda name: time.sleep(0.8) or open_video(name), seconds=2)

    for _ in range(3):  # more than the limit together
        assert watchdog.open(str(path)).frames([7]).shape == (1, 48, 64, 3)


def test_frames_are_never_those_of_another_video(watch, tiny_video, tmp_path):
    other = encode_video(tmp_path / "other.mp4", numbered_frames(8))
    watchdog = watch(seconds=30)
    first = watchdog.open(str(tiny_video))
    second = watchdog.open(str(other))

    with pytest.raises(ValueError, match=r"tiny.mp4: another video was opened since .*; open this one again"):
        first.frames([0])
    first.close()
    assert torch.equal(second.frames([5]), open_video(other).frames([5]))
    second.close()
    with pytest.raises(ValueError, match=r"other.mp4: the reader is closed"):
        second.frames([5])


def test_a_helper_that_dies_while_it_closes_a_video_takes_nothing_back(watch, tiny_video):
    class DiesInClose(VideoReader):
        path, num_frames, fps, times = "x", 5, 1.0, None

        def frames(self, indices):
            return torch.zeros(len(indices), 2, 2, 3, dtype=torch.uint8)

        def close(self):
            killed(signal.SIGKILL)

    with watch(lambda path: DiesInClose()).open("x") as reader:
        assert reader.frames([0]).shape == (1, 2, 2, 3)
