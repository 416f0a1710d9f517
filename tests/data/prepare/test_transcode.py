from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from encode import encode_video, frame_number, numbered_frames

from vidattn.data.errors import VideoDecodeError
from vidattn.data.prepare.transcode import Transcoding
from vidattn.data.readers import open_video
from vidattn.data.readers.pyav import PyAVReader

FAST = Transcoding(short_side=48, preset="ultrafast", crf=10)


def test_every_frame_comes_out_once_in_order_with_keyframes_where_asked(tmp_path):
    source = encode_video(tmp_path / "a.mkv", numbered_frames(40), codec="mpeg4", options={"bf": "2", "g": "30"})

    assert Transcoding(keyframe_every=8, preset="medium").run(str(source), tmp_path / "out" / "b.mp4") == 40

    with PyAVReader(tmp_path / "out" / "b.mp4") as video:
        assert [frame_number(image) for image in video.frames(range(40)).numpy()] == list(range(40))
        keyframes = [video._index.packets[place].is_keyframe for place in video._index.shown]
        assert [frame for frame, is_key in enumerate(keyframes) if is_key] == [0, 8, 16, 24, 32]
        assert video.seekable
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.mp4"]


def test_a_colon_in_a_relative_path_makes_no_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encode_video(tmp_path / "cam1:left.mkv", numbered_frames(3))

    assert FAST.run("cam1:left.mkv", Path("out:1", "b.mp4")) == 3


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), 25, Fraction(30000, 1001), 60])
def test_rates_and_times_are_kept(tmp_path, rate):
    source = encode_video(tmp_path / "a.mp4", numbered_frames(10), fps=rate)
    FAST.run(str(source), tmp_path / "b.mp4")
    with open_video(source) as ours, open_video(tmp_path / "b.mp4") as written:
        assert written.fps == pytest.approx(ours.fps, rel=1e-9)
        assert written.times == pytest.approx(ours.times, abs=1e-6)


def test_variable_rates_are_kept(tmp_path):
    pts = [500, 600, 900, 1000, 1001, 5000]
    source = encode_video(tmp_path / "a.mkv", numbered_frames(6), pts=pts, time_base=Fraction(1, 1000))
    FAST.run(str(source), tmp_path / "b.mp4")
    with open_video(tmp_path / "b.mp4") as video:
        assert video.times == pytest.approx([0, 0.1, 0.4, 0.5, 0.501, 4.5], abs=1e-6)


@pytest.mark.parametrize(
    ("size", "options", "expected"),
    [
        ((96, 128), {}, (48, 64)),
        ((128, 96), {}, (64, 48)),
        ((47, 63), {"pix_fmt": "yuv444p"}, (46, 62)),
        ((1, 1), {"pix_fmt": "yuv444p"}, (2, 2)),
        ((96, 128), {"rotation": 90}, (64, 48)),
    ],
    ids=["wide", "high", "odd", "one pixel", "turned"],
)
def test_short_side_shrinks_and_sides_become_even(tmp_path, size, options, expected):
    frames = numbered_frames(6, 128, 128)[:, : size[0], : size[1]]
    source = encode_video(tmp_path / "a.mp4", frames, **options)
    FAST.run(str(source), tmp_path / "b.mp4")
    with open_video(tmp_path / "b.mp4") as video:
        assert video.frames([5]).shape == (1, *expected, 3)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv420p10le", "yuv444p10le"])
def test_colours_stay_whatever_depth_and_range(tmp_path, pix_fmt):
    colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [180, 120, 60]]
    frames = [np.broadcast_to(np.uint8(colour), (96, 96, 3)) for colour in colours]
    source = encode_video(tmp_path / "a.mp4", frames, pix_fmt=pix_fmt, options={"qp": "1", "bf": "0"})
    Transcoding(short_side=48, crf=1, preset="ultrafast").run(str(source), tmp_path / "b.mp4")
    with open_video(source) as ours, open_video(tmp_path / "b.mp4") as written:
        differences = written.frames(range(6))[:, 24, 24].int() - ours.frames(range(6))[:, 48, 48].int()
    assert differences.abs().max() <= 4


def test_turned_videos_come_out_upright(tmp_path):
    source = encode_video(tmp_path / "a.mp4", numbered_frames(4, 64, 96), rotation=90, options={"qp": "5"})
    Transcoding(short_side=64, crf=5, preset="ultrafast").run(str(source), tmp_path / "b.mp4")
    with open_video(source) as ours, open_video(tmp_path / "b.mp4") as written:
        assert (written.frames([3]).float() - ours.frames([3]).float()).abs().mean() < 8


def test_sound_is_dropped_and_the_best_stream_taken(shared_videos, tmp_path):
    FAST.run(str(shared_videos / "odd" / "rotated_multi_stream.mp4"), tmp_path / "b.mp4")
    with PyAVReader(tmp_path / "b.mp4") as video:
        assert [stream.type for stream in video._container.streams] == ["video"]
        assert video.num_frames == 17


def test_what_does_not_decode_to_its_end_leaves_nothing_that_counts(shared_videos, tmp_path):
    with pytest.raises(VideoDecodeError, match="stopped after 28 frames"):
        FAST.run(str(shared_videos / "broken" / "corrupted.mp4"), tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()


def test_what_was_written_is_verified(tmp_path, monkeypatch, tiny_video):
    encode = Transcoding._encode

    def lose_the_end(self, reader, path):
        with open_video(encode_video(tmp_path / "short.mp4", numbered_frames(30))) as short:
            encode(self, short, path)

    monkeypatch.setattr(Transcoding, "_encode", lose_the_end)
    with pytest.raises(VideoDecodeError, match=r"tiny\.mp4: what was written of it has 30 frames, the source 48"):
        FAST.run(str(tiny_video), tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()
