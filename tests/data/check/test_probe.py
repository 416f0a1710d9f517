import csv
import shutil

import av
import pytest
from encode import encode_video, numbered_frames
from PIL import Image

from vidattn.data.check.probe import probe
from vidattn.data.prepare.transcode import Transcoding
from vidattn.data.readers import open_video


def test_audio_without_pictures_is_told_apart(shared_videos, tmp_path):
    shutil.copy(shared_videos / "broken" / "audio_only.mp3", tmp_path / "a.mp4")

    assert probe(str(tmp_path / "a.mp4"), None, 8).problems == ["audio only"]


@pytest.mark.parametrize(
    ("tag", "problem"), [("rotated", "rotated"), ("vfr", "variable rate"), ("zero-byte", "zero bytes")]
)
def test_real_files_are_what_their_manifest_says(shared_videos, tag, problem):
    rows = [row for row in csv.DictReader((shared_videos / "MANIFEST.csv").open()) if tag in row["tags"]]
    assert rows
    for row in rows:
        assert problem in probe(str(shared_videos / row["file"]), None, 1).problems, row["file"]


@pytest.mark.parametrize("name", ["actions/eat.mkv", "odd/unordered_pts.mov", "codecs/hevc.mp4", "codecs/av1.mkv"])
def test_real_files_without_faults_have_none(shared_videos, name):
    path = shared_videos / name.replace("eat", "asl/eat")

    assert probe(str(path), None, 1).problems == []


@pytest.mark.parametrize("other", ["img_1.png", "frame_1.jpg", "img_00001.jpg"])
def test_two_sets_of_pictures_are_no_matter_of_the_download(tmp_path, other):
    for name in ("img_1.jpg", "img_2.jpg", other):
        Image.new("RGB", (8, 8)).save(tmp_path / name)

    found = probe(str(tmp_path), 30.0, 1)

    assert found.problems == ["pictures unclear"]
    assert not found.usable
    assert "keep one" in found.reason


def test_keyframes_that_are_none_are_unsafe_to_seek(tmp_path):
    # The picture comes back row by row; x264 marks where that begins, and FFmpeg calls it a keyframe.
    options = {"x264-params": "intra-refresh=1:keyint=15:bframes=2"}
    path = encode_video(tmp_path / "a.mp4", numbered_frames(60), options=options)

    assert probe(str(path), None, 8).problems == ["unsafe to seek"]


def test_what_an_edit_list_hides_is_not_missing(tmp_path):
    """As `ffmpeg -ss 3 -i IN -c copy OUT.mp4` writes it: the packets since the keyframe are there, and not shown."""
    whole = encode_video(tmp_path / "whole.mp4", numbered_frames(120), options={"g": "100", "bf": "0"})
    cut = tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(cut), "w") as target:
        video = source.streams.video[0]
        stream = target.add_stream_from_template(video)
        shift = round(2 / video.time_base)
        for packet in source.demux(video):
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
                target.mux(packet)
    found = probe(str(cut), None, 8)

    with open_video(cut) as reader:
        assert reader.num_hidden == 60
    assert found.num_frames == 60
    assert "truncated" not in found.problems


def test_pixels_that_are_not_square_are_told_and_kept(tmp_path):
    path, small = tmp_path / "wide.mp4", tmp_path / "small.mp4"
    plain = encode_video(tmp_path / "plain.mp4", numbered_frames(24))
    encode_video(path, numbered_frames(24), options={"aspect": "2"})
    Transcoding(short_side=24).run(str(path), small)

    with open_video(path) as wide, open_video(plain) as square, open_video(small) as prepared:
        assert (wide.pixel_aspect, prepared.pixel_aspect, square.pixel_aspect) == (2, 2, None)
        assert wide.frames([3]).shape == square.frames([3]).shape
    with open_video(path, "decord") as other:
        assert other.frames([3]).shape == (1, 48, 64, 3)
    assert probe(str(path), None, 8).problems == ["pixels not square"]
    assert probe(str(plain), None, 8).problems == []
