import ctypes
import faulthandler
import gc
import os
import signal
import time

import av
import pytest
import torch
from encode import encode_video, numbered_frames

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import guarded, helper_process, open_video

pytestmark = pytest.mark.skipif(not guarded.AVAILABLE, reason="forks and kernel timers: Linux only")


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


def test_helpers_that_nobody_holds_are_gone_and_leave_no_dead(tiny_video):
    """Several loaders in one process, as in a notebook: a later helper has a copy of an earlier one's connection."""
    watchdogs = [guarded.Watchdog(5.0, open_video) for _ in range(3)]
    for watchdog in watchdogs:
        watchdog.open(str(tiny_video)).close()
    helpers = [watchdog._helper.pid for watchdog in watchdogs]
    assert all(is_running(helper) for helper in helpers)

    watchdogs.clear()
    del watchdog
    gc.collect()

    assert not any(is_running(helper) for helper in helpers)
