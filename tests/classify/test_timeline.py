import csv
import dataclasses
import gc
import json
import os
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from foreseen import brightness_classifier, plain_video

from vidattn import Classifier
from vidattn.classify.timeline import Timeline
from vidattn.data.clips.sampling import VideoTimes
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.pyav import PyAVReader
from vidattn.data.segment import Segment

SCENES = [30] * 40 + [120] * 50 + [220] * 30 + [120] * 20  # 4, 5, 3 and 2 seconds at 10 frames a second


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    return plain_video(tmp_path_factory.mktemp("scenes") / "scenes.mp4", SCENES)


@pytest.fixture(scope="module")
def timeline(scenes) -> Timeline:
    return brightness_classifier().timeline(scenes, window=1.0, step=0.5, progress=False)


def test_segments_tell_what_happens_when(timeline):
    assert [segment.name for segment in timeline.segments] == ["dark", "grey", "light", "grey"]
    assert [segment.start for segment in timeline.segments] == pytest.approx([0, 4, 9, 12], abs=0.5)
    assert [segment.end for segment in timeline.segments] == pytest.approx([4, 9, 12, 14], abs=0.5)
    assert timeline.segments[0].start == 0
    assert timeline.segments[-1].end == timeline.duration == pytest.approx(14)
    for one, following in pairwise(timeline.segments):
        assert one.end == following.start


def test_the_bar_shows_brackets_in_the_name(checkpoint, tiny_video, tmp_path, capsys):
    named = shutil.copy(tiny_video, tmp_path / "a [id].mp4")

    Classifier.from_pretrained(checkpoint).timeline(named, window=0.6)

    assert "a [id].mp4, " in capsys.readouterr().out


def test_each_window_is_answered_as_a_video_of_its_own(checkpoint, tiny_video):
    classifier = Classifier.from_pretrained(checkpoint, num_crops=3, batch_size=5)

    timeline = classifier.timeline(tiny_video, window=0.6, step=0.25, progress=False)

    assert len(timeline.windows) == 5
    for (start, end), row in zip(timeline.windows, timeline.probabilities, strict=True):
        with PyAVReader(tiny_video) as reader:
            inside = VideoTimes(reader.num_frames, reader.fps, reader.times, Segment(start, end))
            frames = reader.frames(range(inside.first, inside.stop))
        np.testing.assert_allclose(row, classifier(frames.numpy(), fps=30).probabilities, atol=1e-6)


def test_without_a_window_it_is_as_long_as_a_clip_in_training(scenes):
    windows = brightness_classifier(num_frames=4, frame_stride=5).timeline(scenes, progress=False).windows

    assert windows[:2] == [(0.0, 2.0), (1.0, 3.0)]


def test_a_video_shorter_than_the_window_is_one_segment(tmp_path):
    timeline = brightness_classifier().timeline(
        plain_video(tmp_path / "short.mp4", [220] * 9), window=5, progress=False
    )

    assert [tuple(segment)[:3] for segment in timeline.segments] == [(0.0, pytest.approx(0.9), "light")]


def test_a_window_shorter_than_a_clip_is_said(scenes):
    timeline = brightness_classifier(frame_stride=5).timeline(scenes, window=1.0, progress=False)

    assert timeline.notes == ["the window is shorter than a clip: 1 of its 4 frames repeat others"]


def test_frames_in_memory_have_a_timeline(scenes):
    frames = np.array(SCENES, np.uint8)[:, None, None, None].repeat(32, 1).repeat(32, 2).repeat(3, 3)

    timeline = brightness_classifier().timeline(frames, window=1.0, step=0.5, fps=10, progress=False)

    assert [segment.name for segment in timeline.segments] == ["dark", "grey", "light", "grey"]


def test_the_strip_is_spread_over_the_video_and_true_to_its_times(timeline):
    levels = timeline.strip.pictures().mean((1, 2, 3))

    assert len(levels) == 12
    assert levels == pytest.approx([SCENES[round(seconds * 10)] for seconds in timeline.strip.seconds], abs=3)
    assert max(abs(s - (i + 0.5) * 14 / 12) for i, s in enumerate(timeline.strip.seconds)) < 0.4


def test_it_converts_and_is_written(timeline, tmp_path):
    for ending in ("csv", "json", "png"):
        timeline.save(tmp_path / f"t.{ending}")

    with (tmp_path / "t.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["class"] for row in rows] == ["dark", "grey", "light", "grey"]
    assert float(rows[1]["start"]) == pytest.approx(timeline.segments[1].start, abs=1e-3)
    plain = json.loads((tmp_path / "t.json").read_text())
    assert len(plain["windows"]) == len(timeline.windows)
    assert plain["windows"][0]["top"][0]["class"] == "dark"
    assert [segment["class"] for segment in plain["segments"]] == ["dark", "grey", "light", "grey"]
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
    assert list(timeline.to_dataframe()["class"]) == ["dark", "grey", "light", "grey"]
    assert "0:04" in str(timeline)
    timeline.save(tmp_path / "new" / "T.PNG")
    assert (tmp_path / "new" / "T.PNG").is_file()
    with pytest.raises(ValueError, match=r"t\.txt: a timeline is written as \.csv"):
        timeline.save(tmp_path / "t.txt")
    with pytest.raises(ValueError, match="top=0: wanted at least one class"):
        timeline.plot(top=0)


def test_classes_of_the_same_name_have_a_curve_each(timeline):
    names = ["still", "still", "light"]
    same = dataclasses.replace(timeline, class_names=names)

    axes = same.plot().axes[2]

    assert [line.get_label() for line in axes.lines] == ["still", "still", "light"]  # grey, dark, light
    assert [segment.name for segment in same.segments] == ["still", "still", "light", "still"]
    assert not np.array_equal(axes.lines[0].get_ydata(), axes.lines[1].get_ydata())


def test_one_window_is_no_plural(timeline):
    one = dataclasses.replace(timeline, windows=timeline.windows[:1], probabilities=timeline.probabilities[:1])

    assert repr(one).endswith("1 window, 1 segment>")
    assert repr(timeline).endswith(f"{len(timeline.windows)} windows, 4 segments>")


def test_a_broken_video_is_an_error(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video at all" * 100)

    with pytest.raises(VideoDecodeError, match=r"broken\.mp4: cannot open it as a video"):
        brightness_classifier().timeline(tmp_path / "broken.mp4")


def test_what_the_system_refuses_is_said_of_the_video(scenes, monkeypatch):
    def refuse(self, frame):
        raise PermissionError("Permission denied")

    monkeypatch.setattr(PyAVReader, "_to_rgb", refuse)
    with pytest.raises(VideoDecodeError, match=r"scenes\.mp4: .*Permission denied"):
        brightness_classifier().timeline(scenes, progress=False)


@pytest.fixture(scope="module")
def half_an_hour(tmp_path_factory) -> Path:
    """1,800 seconds in 9,000 frames of 64 x 48 pixels, a keyframe every 250; the last third is grey, the rest dark."""
    path = tmp_path_factory.mktemp("long") / "half_an_hour.mp4"
    return plain_video(path, [30] * 6000 + [120] * 3000, fps=5)


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
def test_half_an_hour_is_decoded_once_in_order_in_bounded_memory(half_an_hour, scenes, monkeypatch):
    classifier = brightness_classifier(num_frames=16, frame_stride=1)
    classifier.timeline(scenes, window=1.0, progress=False)  # what everything needs is loaded
    taken, sizes = [], []
    to_rgb = PyAVReader._to_rgb
    monkeypatch.setattr(PyAVReader, "_to_rgb", lambda self, frame: taken.append(frame.pts) or to_rgb(self, frame))
    classifier.network.register_forward_hook(lambda *_: sizes.append(resident_megabytes()))
    gc.collect()
    before = resident_megabytes()

    timeline = classifier.timeline(half_an_hour, window=16 / 5, step=8 / 5, progress=False)

    assert len(taken) == 9000
    assert taken == sorted(set(taken))
    assert [segment.name for segment in timeline.segments] == ["dark", "grey"]
    assert timeline.segments[1].start == pytest.approx(1200, abs=2)
    print(f"{max(sizes) - before:.1f} MiB above {before:.0f}, {len(taken)} frames")
    # All frames together would be 79 megabytes as they are and 26 at 32 pixels.
    assert max(sizes) - before < 16
