"""The watchdog against readers that hang and crash in C, where no thread and no exception could stop them."""

import ctypes
import faulthandler
import gc
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
from vidattn.data.readers import guarded, helper_process, open_video
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


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


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


def test_the_helper_ends_nothing_that_belongs_to_the_program(watch, tmp_path, tiny_video):
    class WaitsForItsThread:
        def __init__(self):
            self.cycle = self

        def __del__(self):
            (tmp_path / f"ended_in_{os.getpid()}").touch()

    def open_and_collect(path):
        gc.collect()
        return open_video(path)

    gc.disable()
    try:
        WaitsForItsThread()
        watch(open_and_collect, seconds=30).open(str(tiny_video))
    finally:
        gc.enable()
    gc.collect()

    assert [path.name for path in tmp_path.iterdir()] == [f"ended_in_{os.getpid()}"]


def test_frames_that_the_program_has_converted_itself_do_not_stop_the_helper(watch, tmp_path):
    path = encode_video(tmp_path / "a.mp4", numbered_frames(8, height=480, width=640))
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            frame.to_ndarray(format="rgb24")  # PyAV 19 keeps swscale's threads for the next: a fork has none

    with watch(seconds=20).open(str(path)) as reader:
        assert torch.equal(reader.frames([0, 7]), open_video(path).frames([0, 7]))


def test_a_crash_ends_the_helper_alone(watch):
    def crash(path):
        faulthandler.disable()  # its report belongs into no test's output
        ctypes.string_at(0)

    with pytest.raises(VideoDecodeError, match=r"a\.mp4: .* died \(SIGSEGV\); drop the file"):
        watch(crash).open("a.mp4")


def test_errors_arrive_as_they_were_raised(watch, tiny_video, tmp_path):
    (tmp_path / "empty.mp4").touch()
    watchdog = watch(seconds=30)

    with pytest.raises(VideoDecodeError, match="the file is empty"):
        watchdog.open(str(tmp_path / "empty.mp4"))
    with pytest.raises(IndexError, match="frame 48 was asked"):
        watchdog.open(str(tiny_video)).frames([48])
    with pytest.raises(ZeroDivisionError) as error:
        watch(lambda path: 1 / 0).open("x")
    assert "in the process that decodes" in error.value.__notes__[0]


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


def test_frames_larger_than_the_shared_memory_arrive_whole(watch, tiny_video, monkeypatch):
    monkeypatch.setattr(helper_process, "_SHARED_BYTES", 4096)

    assert torch.equal(watch(seconds=30).open(str(tiny_video)).frames([5, 6]), open_video(tiny_video).frames([5, 6]))


def test_a_helper_ends_with_the_process_that_owns_it(tiny_video):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            watchdog = guarded.Watchdog(30, open_video)
            watchdog.open(str(tiny_video))
            os.write(write, str(watchdog._helper.pid).encode())
            time.sleep(60)
        finally:
            os._exit(1)  # never goes on with the tests of the process that it is a copy of
    helper = int(os.read(read, 20))
    assert is_running(helper)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    deadline = time.monotonic() + 30
    while is_running(helper) and time.monotonic() < deadline:
        time.sleep(0.01)
    state = open(f"/proc/{helper}/stat").read().split()[2] if is_running(helper) else "Z"  # noqa: SIM115
    assert state == "Z"  # ended; who inherits it may not have collected it yet


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
