import io
import threading
from itertools import count

import numpy as np
import pytest
import torch
from foreseen import LEVELS, brightness_classifier, plain_video

from vidattn import Classifier
from vidattn.calibration.calibration import NONE, Calibration, Threshold
from vidattn.classify.live.stream import Live
from vidattn.classify.preparation import Preparation
from vidattn.data.clips.sampling import SecondsSampling
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.live_frames import LiveFrames
from vidattn.models.config import VideoTransformerConfig

HALF = (0.5, 0.5, 0.5)


def plain(level):
    return np.full((40, 48, 3), level, np.uint8)


def network_of(attention):
    torch.manual_seed(0)
    config = VideoTransformerConfig(
        attention, num_classes=3, num_frames=4, image_size=32, patch_size=8, embed_dim=16, depth=2, num_heads=2,
        init_std=0.3,
    )  # fmt: skip
    return Classifier(config.build(), list(LEVELS), Preparation(SecondsSampling(4, 0.2), 32, HALF, HALF))


def test_a_source_ahead_of_the_clock_waits_and_every_answer_is_that_of_its_frames():
    classifier = network_of("divided")
    frames = np.random.default_rng(0).integers(0, 256, (50, 40, 48, 3), np.uint8)

    live = Live(classifier, LiveFrames(iter(frames), fps=10), step=0.4, window=None, clock=lambda: 0.0)
    answers = list(live)

    assert [(one.start, one.end) for one in answers] == [
        pytest.approx((0.4 * place, 0.4 * place + 0.6)) for place in range(11)
    ]
    for place, answer in enumerate(answers):
        wanted = classifier(frames[4 * place : 4 * place + 7 : 2]).probabilities
        np.testing.assert_allclose(answer.probabilities, wanted, atol=1e-5)
    assert (answers[-1].dropped, answers[-1].skipped, answers[-1].repeated) == (0, 0, 0)
    assert len(live.ring.held) < 8


def test_a_source_that_the_network_is_too_slow_for_is_never_made_to_wait_and_drops_are_counted():
    classifier = brightness_classifier(num_frames=4, frame_stride=2)
    drained, network, ticks = threading.Event(), classifier.network, count()

    def frames():
        for place in range(200):
            yield plain(30 if place < 100 else 220)
        drained.set()

    def slow(video):  # until all has come
        assert drained.wait(60)
        return network(video)

    classifier._compiled = slow
    live = Live(classifier, LiveFrames(frames(), fps=10), step=0.5, window=None, clock=lambda: 1e3 * next(ticks))
    answers = list(live)

    assert len(answers) <= 2  # what was complete before the network began, and the last
    assert (answers[-1].name, answers[-1].frames) == ("light", 200)
    assert answers[-1].end == pytest.approx(19.6)
    assert answers[-1].skipped + len(answers) == 39
    assert answers[-1].dropped > 100
    assert len(live.ring.held) <= 20
    assert f"{answers[-1].dropped} frames dropped" in str(answers[-1])


def test_frames_that_are_slow_to_come_are_waited_for():
    classifier = brightness_classifier(num_frames=2, frame_stride=1)
    give = threading.Semaphore(0)

    def frames():
        for level in (30, 30, 220, 220):
            assert give.acquire(timeout=60)
            yield plain(level)

    with Live(classifier, LiveFrames(frames(), fps=1), step=1.0, window=None, clock=lambda: 0.0) as live:
        names = []
        for released in (2, 1, 1):
            give.release(released)
            names.append(next(live).name)

    assert names[0] == "dark"
    assert names[2] == "light"


def test_frames_that_do_not_say_when_they_are_shown_are_shown_when_they_come():
    classifier, now = brightness_classifier(num_frames=2, frame_stride=1), [100.0]

    def frames():
        for level in (30, 30, 30, 220, 220):
            yield plain(level)
            now[0] += 0.5

    live = Live(classifier, LiveFrames(frames()), step=0.5, window=2.0, clock=lambda: now[0])

    last = list(live)[-1]
    assert (last.name, last.start, last.end) == ("grey", 1.0, 2.0)  # dark and light
    unsaid = Live(classifier, LiveFrames(frames()), step=0.5, window=None)
    assert unsaid.notes == ["the stream does not say how many frames come in a second; taken for 30"]
    unsaid.close()


@pytest.mark.parametrize("attention", ["space", "space>time(1)"])
def test_a_frame_is_embedded_once_where_frames_meet_late(attention):
    classifier = network_of(attention)
    frames = np.random.default_rng(0).integers(0, 256, (30, 40, 48, 3), np.uint8)
    seen, of_frames = [], classifier.network.of_frames
    classifier.network.of_frames = lambda video: seen.append(video.shape[2]) or of_frames(video)

    live = Live(classifier, LiveFrames(iter(frames), fps=10), step=0.2, window=None, clock=lambda: 0.0)
    answers = list(live)

    assert seen == [4] + [1] * (len(answers) - 1)
    del classifier.network.of_frames
    for place, answer in enumerate(answers):
        wanted = classifier(frames[2 * place : 2 * place + 7 : 2]).probabilities
        np.testing.assert_allclose(answer.probabilities, wanted, atol=1e-5)


def test_a_pipe_of_bytes_is_read_once_and_says_none_of_these(tmp_path):
    path = plain_video(tmp_path / "a.mkv", [30] * 20 + [170] * 20 + [220] * 20)
    classifier = brightness_classifier(num_frames=4, frame_stride=2)
    classifier.calibration = Calibration(threshold=Threshold(0.9, 0.05, 40))

    class Pipe(io.RawIOBase):  # cannot seek
        def __init__(self):
            self.file = path.open("rb")

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.file.readinto(buffer)

    answers = list(Live(classifier, LiveFrames(io.BufferedReader(Pipe())), 1.0, None, clock=lambda: 0.0))

    assert [answer.name for answer in answers] == ["dark", "dark", NONE, NONE, "light", "light"]
    assert f"{NONE}: " in str(answers[2])
    assert answers[2].to_dict()["answer"] == NONE


def test_what_ends_or_breaks_is_said(tmp_path):
    classifier = brightness_classifier(num_frames=4, frame_stride=2)

    def broken():
        yield from [plain(30)] * 10
        raise OSError("the camera was unplugged")

    with pytest.raises(VideoDecodeError, match=r"ended after 3 frames \(0\.2 s\), before the 0\.6 s of a first answer"):
        list(classifier.live(iter([plain(30)] * 3), fps=10))
    live = Live(classifier, LiveFrames(broken(), fps=10), 0.1, None, clock=lambda: 0.0)
    assert [next(live).name for _ in range(4)] == ["dark"] * 4
    with pytest.raises(OSError, match="the camera was unplugged"):
        next(live)
    with pytest.raises(ValueError, match=r"frame 0 of shape \(3, 40, 48\) and type float32; wanted uint8 RGB"):
        next(classifier.live(iter([np.zeros((3, 40, 48), np.float32)])))
    with pytest.raises(ValueError, match="one array is no stream"):
        classifier.live(np.zeros((8, 40, 48, 3), np.uint8))
    with pytest.raises(VideoDecodeError, match="no such file or device"):
        classifier.live(str(tmp_path / "nothing"))
    with pytest.raises(VideoDecodeError, match="cannot open it as a stream of video"):
        classifier.live(io.BytesIO(b"no video" * 100))
    with pytest.raises(ValueError, match=r"step=0 must be more than 0"):
        classifier.live(iter([]), step=0)
