"""PyAVReader against plain sequential decoding, written out here, and against what the pixels say."""

import gc
import pickle
import random
import resource
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from encode import encode_video, frame_number, numbered_frames

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video
from vidattn.data.readers.base import average_fps
from vidattn.data.readers.pyav import PyAVReader


def decode_everything(path: Path) -> np.ndarray:
    """The reference: every frame in FFmpeg's order, upright."""
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        stream.codec_context.thread_type = "NONE"
        frames = [np.rot90(f.to_ndarray(format="rgb24"), round(f.rotation / 90)) for f in container.decode(stream)]
    return np.stack(frames)


def index_sets(num_frames: int, count: int) -> list[list[int]]:
    """Indices as samplers ask for them, and worse: backwards, repeated, the ends, anywhere."""
    rng = random.Random(num_frames)
    anywhere = [[rng.randrange(num_frames) for _ in range(rng.randint(1, 8))] for _ in range(count)]
    return [[num_frames - 1], [0], [num_frames - 1, 0, 0], list(range(0, num_frames, 7)), *anywhere]


def assert_exact(path: Path, count: int = 12) -> PyAVReader:
    """Each index set on a fresh reader for the first few, then all on one: state left behind must not matter."""
    expected = decode_everything(path)
    sets = index_sets(len(expected), count)
    for indices in sets[:5]:
        with PyAVReader(path) as video:
            assert np.array_equal(video.frames(indices), expected[indices]), indices
    video = PyAVReader(path)
    assert video.num_frames == len(expected)
    assert video.times.shape == (len(expected),)
    assert video.times[0] == 0
    assert (np.diff(video.times) > 0).all()
    for indices in [*sets, list(range(len(expected)))]:
        assert np.array_equal(video.frames(indices), expected[indices]), indices
    video.close()
    return video


REAL = [
    *(f"actions/{n}" for n in ("arm_wrestling.mp4", "flipping_pancake.mkv", "kinetics_sample.mp4")),
    *(f"actions/asl/{n}.mkv" for n in ("again", "brother", "eat")),
    *(f"codecs/{n}" for n in ("h264_10bit.mp4", "h264_odd_size_444.mp4", "hevc.mp4", "mpeg2_odd_width.mp4")),
    *(f"odd/{n}" for n in ("mpeg4_bframes_nonmonotonic_pts.avi", "rotated_multi_stream.mp4", "rotation_0.mov")),
    *(f"odd/{n}" for n in ("rotation_90.mov", "rotation_180.mov", "rotation_270.mov", "two_video_streams.mp4")),
    *(f"odd/{n}" for n in ("unordered_pts.mov", "variable_frame_rate.mp4")),
    *(f"broken/{n}" for n in ("one_pixel.mp4", "failing_audio.mp4")),
]


@pytest.mark.parametrize("name", REAL)
def test_real_files_give_the_frames_of_sequential_decoding(shared_videos, name):
    assert_exact(shared_videos / name, count=2)


@pytest.mark.parametrize("name", ["codecs/av1.mkv", "codecs/vp9.webm", "codecs/h264_bt709_full_range.mp4"])
def test_large_pictures_give_the_frames_of_sequential_decoding(shared_videos, name):
    expected = decode_everything(shared_videos / name)
    with open_video(shared_videos / name) as video:
        assert video.num_frames == len(expected)
        for indices in ([len(expected) - 1, 3], [20, 11, 11]):
            assert np.array_equal(video.frames(indices), expected[indices])


OPEN_GROUPS = {"bf": "3", "g": "12", "x264-params": "open-gop=1:scenecut=0:b-adapt=0"}
SHORT_GROUPS = {"g": "10", "bf": "2"}
X265 = "log-level=none:keyint=12:bframes=4:scenecut=0"
RAGGED = [0, 300, 310, 900, 901, 1700, 2600, 2700, 2777, 3600, *(4000 + 371 * i for i in range(30))]

# name -> (arguments of encode_video, whether frames are reached by seeking in the end)
ENCODED: dict[str, tuple[dict, bool]] = {
    "b_frames.mp4": ({"options": {"g": "20", "bf": "3"}}, True),
    "b_pyramid.mp4": ({"options": {"g": "30", "bf": "7", "x264-params": "b-pyramid=normal:b-adapt=0"}}, True),
    "long_group.mkv": ({"options": {"g": "600", "bf": "2"}}, True),
    "open_groups.mp4": ({"options": OPEN_GROUPS}, True),
    "open_groups.mkv": ({"options": OPEN_GROUPS}, True),
    "open_groups.ts": ({"options": OPEN_GROUPS}, True),
    "open_groups.avi": ({"options": OPEN_GROUPS}, False),
    "groups_of_8.mp4": ({"options": {"g": "8", "bf": "0"}}, True),
    "all_intra.mp4": ({"options": {"g": "1"}}, True),
    "intra_refresh.mp4": ({"options": {"x264-params": "intra-refresh=1:keyint=15:bframes=2"}}, False),
    "starts_late.mp4": ({"options": SHORT_GROUPS, "pts": [i + 77 for i in range(40)]}, True),
    "starts_early.mp4": ({"options": SHORT_GROUPS, "pts": [i - 17 for i in range(40)]}, True),
    "ragged.mp4": ({"options": SHORT_GROUPS, "pts": RAGGED, "time_base": Fraction(1, 9000)}, True),
    "fragments.mp4": ({"options": SHORT_GROUPS, "container_options": {"movflags": "frag_keyframe+empty_moov"}}, True),
    "flash.flv": ({"options": SHORT_GROUPS}, True),
    "no_times.h264": ({"options": SHORT_GROUPS}, False),
    "interlaced.mp4": ({"options": {"flags": "+ildct+ilme", "x264-params": "interlaced=1"}}, False),
    "hevc_open.mp4": ({"codec": "libx265", "options": {"x265-params": X265 + ":open-gop=1"}}, True),
    "hevc_layers.mp4": ({"codec": "libx265", "options": {"x265-params": X265 + ":temporal-layers=3"}}, True),
    "hidden_frames.webm": ({"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "16"}}, False),
    "mpeg4.avi": ({"codec": "mpeg4", "options": {"bf": "2"}}, False),
}


@pytest.mark.parametrize("name", ENCODED)
def test_every_kind_of_stream_gives_the_frames_of_sequential_decoding(tmp_path, monkeypatch, name):
    arguments, seekable = ENCODED[name]
    path = encode_video(tmp_path / name, numbered_frames(40), **arguments)

    assert assert_exact(path).seekable is seekable
    if seekable:  # and so where the packets are too large to keep, and the file is read again
        monkeypatch.setattr("vidattn.data.readers.packets._KEPT_BYTES", 0)
        assert assert_exact(path).seekable


def test_files_that_do_not_tell_their_duration(tmp_path):
    path = encode_video(tmp_path / "a.mkv", numbered_frames(40), options=SHORT_GROUPS, container_options={"live": "1"})
    with av.open(str(path)) as container:
        assert container.duration is None
        assert container.streams.video[0].duration is None

    video = assert_exact(path)

    assert video.seekable
    assert video.fps == 30


@pytest.mark.parametrize(("count", "height", "width"), [(1, 48, 64), (5, 1, 1), (12, 47, 63)])
def test_smallest_and_odd_pictures(tmp_path, count, height, width):
    frames = numbered_frames(count, height=48, width=64)[:, :height, :width]
    assert_exact(encode_video(tmp_path / "a.mp4", frames, pix_fmt="yuv444p", options={"g": "5"}))


def remux(source: Path, target: Path, change: Callable[[int, av.Packet], bool]) -> Path:
    """Copy the packets that `change(number, packet)` keeps."""
    with av.open(str(source)) as input_, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(input_.streams.video[0])
        for number, packet in enumerate(p for p in input_.demux(video=0) if p.size):
            if change(number, packet):
                packet.stream = stream
                output.mux(packet)
    return target


def test_keyframes_that_are_none_are_found_out(tmp_path):
    options = {"x265-params": "log-level=none:keyint=600:bframes=2:scenecut=0"}
    honest = encode_video(tmp_path / "honest.mp4", numbered_frames(40), codec="libx265", options=options)

    def lie(number: int, packet: av.Packet) -> bool:
        packet.is_keyframe = True
        return True

    liar = remux(honest, tmp_path / "liar.mp4", lie)
    assert not assert_exact(liar).seekable
    with PyAVReader(liar) as again:
        assert not again.seekable  # remembered: no second try in this process
    liar.write_bytes(honest.read_bytes())
    with PyAVReader(liar) as another:
        assert another.seekable  # the name is the same, the file is not


@pytest.mark.parametrize("name", ["a.avi", "a.mkv"])
def test_made_up_times_do_not_mix_frames(tmp_path, tiny_video, name):
    # With B-frames, and each packet's time its place in the file: any single frame asked would be another one.
    def number_it(number: int, packet: av.Packet) -> bool:
        packet.pts = packet.dts = number * 512
        return True

    if name == "a.avi":  # stores no times
        path = encode_video(tmp_path / name, numbered_frames(12), options={"bf": "2"})
    else:
        path = remux(tiny_video, tmp_path / name, number_it)
    for index in range(12):
        with open_video(path) as video:
            assert frame_number(video.frames([index])[0].numpy()) == index


def test_picture_marked_corrupt_after_a_seek_sends_the_reader_to_the_start(tmp_path):
    options = {"x264-params": "intra-refresh=1:keyint=15:bframes=2"}
    path = encode_video(tmp_path / "a.mp4", numbered_frames(40), options=options)
    expected = decode_everything(path)

    with PyAVReader(path) as video:
        # Let the decoder hand out unsound pictures, as some FFmpeg builds do of themselves.
        video._stream.codec_context.flags |= av.codec.context.Flags.output_corrupt
        assert np.array_equal(video.frames([16, 31]), expected[[16, 31]])
        assert not video.seekable


def test_times_that_are_swapped_are_found_out(tmp_path, tiny_video):
    with av.open(str(tiny_video)) as container:
        times = [packet.pts for packet in container.demux(video=0) if packet.size]
    # A B-frame and the picture shown next, which is stored before it: no time may be below the decoding time.
    shown = sorted(range(48), key=times.__getitem__)
    early, late = next((a, b) for a, b in pairwise(shown) if a > b > 12)

    def swap(number: int, packet: av.Packet) -> bool:
        packet.pts = times[{early: late, late: early}.get(number, number)]
        return True

    path = remux(tiny_video, tmp_path / "swapped.mp4", swap)

    with open_video(path) as video:
        assert np.array_equal(video.frames(range(48)), decode_everything(path))
        assert not video.seekable


@pytest.mark.parametrize("hole", [10, 19])
def test_packet_that_decodes_to_nothing_is_counted_out(tmp_path, hole):
    options = {"x265-params": "log-level=none:keyint=1"}
    honest = encode_video(tmp_path / "honest.mp4", numbered_frames(20), codec="libx265", options=options)
    path = tmp_path / "hole.mp4"
    with av.open(str(honest)) as input_, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(input_.streams.video[0])
        for number, packet in enumerate(p for p in input_.demux(video=0) if p.size):
            copied = packet
            if number == hole:
                copied = av.Packet(bytes.fromhex("00000003460150"))  # an access unit delimiter and no picture
                copied.pts, copied.dts, copied.time_base = packet.pts, packet.dts, packet.time_base
            copied.stream = stream
            output.mux(copied)

    with PyAVReader(path) as video:
        assert video.num_frames == 20  # what the packets say
        if hole == 19:
            with pytest.raises(VideoDecodeError, match="pyav decoded 19 frames but frame 19 was asked"):
                video.frames([3, hole])
        else:
            assert [frame_number(image) for image in video.frames([3, hole]).numpy()] == [3, hole + 1]
        assert video.num_frames == 19
        assert np.array_equal(video.frames([18, 4]), decode_everything(path)[[18, 4]])


def test_counted_files_read_alike_whether_their_frames_are_kept_or_decoded_again(tmp_path, monkeypatch):
    path = encode_video(tmp_path / "a.avi", numbered_frames(20), codec="mpeg4", options={"bf": "2"})
    with open_video(path) as kept:
        expected = kept.frames([19, 3, 3])
    monkeypatch.setattr("vidattn.data.readers.pyav._KEPT_BYTES", 30_000)  # a few frames
    with PyAVReader(path) as again:
        assert not again._kept
        assert torch.equal(again.frames([19, 3, 3]), expected)


def test_file_cut_before_its_first_keyframe_is_counted_by_decoding(tmp_path, tiny_video):
    path = remux(tiny_video, tmp_path / "cut.mkv", lambda number, packet: number >= 5)

    video = assert_exact(path)

    assert not video.indexed
    assert video.num_frames < 43  # the packets that are left


def test_frames_are_those_that_the_pixels_name(tiny_video):
    with open_video(tiny_video) as video:
        indices = [47, 0, 13, 13, 25, 24, 1]
        assert [frame_number(image) for image in video.frames(indices).numpy()] == indices
        assert video.num_frames == 48
        assert video.fps == 30
        assert np.allclose(video.times, np.arange(48) / 30)


def test_frames_are_contiguous_uint8(tiny_video):
    with open_video(tiny_video) as video:
        frames = video.frames([3, 1])
    assert frames.dtype == torch.uint8
    assert frames.shape == (2, 48, 64, 3)
    assert frames.is_contiguous()


def test_times_follow_the_file_in_variable_rate_and_start_at_zero(tmp_path):
    pts = [500, 600, 900, 1000]
    path = encode_video(tmp_path / "a.mp4", numbered_frames(4), pts=pts, time_base=Fraction(1, 1000))
    with open_video(path) as video:
        assert video.times == pytest.approx([0, 0.1, 0.4, 0.5])
        assert video.fps == pytest.approx(6)


def test_rate_of_one_frame_is_the_claimed_one():
    assert average_fps(np.zeros(1), claimed=25.0) == 25.0
    assert average_fps(np.zeros(1), claimed=None) == 1.0


@pytest.mark.parametrize(
    ("pix_fmt", "depth", "full_range"),
    [("yuv420p", 8, False), ("yuvj420p", 8, True), ("yuv420p10le", 10, False), ("yuv444p10le", 10, False)],
)
def test_colours_are_those_of_the_bt601_formula(tmp_path, pix_fmt, depth, full_range):
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [180, 120, 60]], np.uint8)
    frames = [np.broadcast_to(colour, (32, 32, 3)) for colour in colours]
    path = encode_video(tmp_path / "a.mp4", frames, pix_fmt=pix_fmt, options={"qp": "1", "bf": "0"})

    with av.open(str(path)) as container:
        planes = [[np.frombuffer(memoryview(p), np.uint8 if depth == 8 else np.uint16)[0] for p in f.planes]
                  for f in container.decode(video=0)]  # fmt: skip
    luma, blue, red = np.array(planes, float).T / 2 ** (depth - 8)
    y = luma if full_range else (luma - 16) * 255 / 219
    u, v = ((c - 128) * (1 if full_range else 255 / 224) for c in (blue, red))
    expected = np.stack([y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u], -1).clip(0, 255)

    with open_video(path) as video:
        got = video.frames(range(len(colours))).numpy()[:, 16, 16]
    assert np.abs(got - expected).max() < 4  # swscale's tables; a wrong range or matrix is off by 15 and more
    assert np.abs(got - colours.astype(float)).max() <= 6


def test_bytes_and_streams_read_like_the_file(tiny_video):
    with open_video(tiny_video) as video:
        expected = video.frames([40, 2])
    for source in (tiny_video.read_bytes(), tiny_video.open("rb"), str(tiny_video)):
        with open_video(source) as video:
            assert torch.equal(video.frames([40, 2]), expected)
            assert video.path == ("<bytes>" if not isinstance(source, str) else str(tiny_video))


def test_index_outside_the_video_names_file_and_range(tiny_video):
    with open_video(tiny_video) as video:
        with pytest.raises(IndexError, match=r"tiny\.mp4: frame 48 was asked, but the video has frames 0 to 47"):
            video.frames([1, 48])
        with pytest.raises(IndexError, match="frame -1 was asked"):
            video.frames([-1])


@pytest.mark.parametrize("indices", [range(48), [0, 1, 30], [13, 40, 47], [5]])
def test_stream_gives_the_frames_one_by_one(tiny_video, indices):
    with PyAVReader(tiny_video) as reader:
        got = [(index, image.copy()) for index, image in reader.stream(indices)]
        wanted = reader.frames(indices)

    assert [index for index, _ in got] == list(indices)
    assert all(np.array_equal(image, frame) for (_, image), frame in zip(got, wanted, strict=True))
    assert [frame_number(image) for _, image in got] == list(indices)


@pytest.mark.parametrize("name", ["rotation_90.mov", "mpeg4_bframes_nonmonotonic_pts.avi", "two_video_streams.mp4"])
def test_stream_of_an_odd_file_gives_the_frames_of_random_access(shared_videos, name):
    with PyAVReader(shared_videos / "odd" / name) as reader:
        indices = range(0, reader.num_frames, 2)
        got = torch.from_numpy(np.stack([image for _, image in reader.stream(indices)]))

        assert torch.equal(got, reader.frames(indices))


def test_stream_goes_on_from_the_start_where_seeking_fails_midway(tiny_video, monkeypatch):
    seeking = PyAVReader._by_seeking
    monkeypatch.setattr(PyAVReader, "_by_seeking", lambda self, indices: (f for f in list(seeking(self, indices))[:3]))
    with PyAVReader(tiny_video) as reader:
        numbers = [frame_number(image) for _, image in reader.stream([2, 9, 20, 33, 47])]

        assert numbers == [2, 9, 20, 33, 47]
        assert not reader.seekable


def test_stream_of_frames_that_do_not_ascend_is_an_error(tiny_video):
    with PyAVReader(tiny_video) as reader, pytest.raises(ValueError, match="must ascend; sort them, each once"):
        next(reader.stream([3, 3]))


def test_closed_reader_says_so(tiny_video):
    video = open_video(tiny_video)
    video.close()
    video.close()
    with pytest.raises(ValueError, match="the reader is closed; open the video again"):
        video.frames([0])


def test_no_indices_is_an_error(tiny_video):
    with open_video(tiny_video) as video, pytest.raises(ValueError, match=r"tiny\.mp4: no frame index was given"):
        video.frames([])


def test_error_for_each_way_a_file_can_be_no_video(tmp_path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "noise.mp4").write_bytes(random.Random(0).randbytes(5000))
    with av.open(str(tmp_path / "sound.wav"), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        output.mux([*stream.encode(sound), *stream.encode(None)])
    reasons = {
        "missing.mp4": "cannot open the file .*check the path",
        ".": "this is a folder, not a video; give one file",
        "empty.mp4": r"the file is empty \(0 bytes\); download it again",
        "noise.mp4": "cannot open it as a video .*it is none, or was cut short: get it again",
        "sound.wav": r"it has no video stream \(the file holds: audio\); .*drop it",
    }
    for name, reason in reasons.items():
        with pytest.raises(VideoDecodeError, match=reason) as caught:
            open_video(tmp_path / name)
        assert caught.value.path == str(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: ")
    with pytest.raises(VideoDecodeError, match="<bytes>: there are 0 bytes"):
        open_video(b"")


def test_truncated_file_is_an_error_that_says_how_far_it_went(tmp_path):
    path = tmp_path / "a.mp4"
    frames = numbered_frames(40, height=96, width=128)
    whole = encode_video(path, frames, options={"g": "10"}, container_options={"movflags": "faststart"}).read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])  # its table of packets comes first and is complete
    with pytest.raises(VideoDecodeError, match=r"a\.mp4: pyav stopped after \d+ frames of \d+ packets .*re-encode it"):
        open_video(path)

    encode_video(path, frames)
    path.write_bytes(path.read_bytes()[:-2000])  # here that table was at the end
    with pytest.raises(VideoDecodeError, match=r"a\.mp4: cannot open it as a video .*was cut short: get it again"):
        open_video(path)


def test_cover_picture_is_no_video(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as output:
        cover = output.add_stream("mjpeg", rate=1)
        cover.width = cover.height = 16
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        output.mux([*cover.encode(picture), *cover.encode(None)])
    with pytest.raises(VideoDecodeError, match="its only picture is a cover"):
        open_video(path)


def test_damaged_real_files_are_errors(shared_videos):
    with (
        open_video(shared_videos / "broken" / "corrupted.mp4") as video,
        pytest.raises(VideoDecodeError, match=r"corrupted\.mp4: pyav stopped after 28 frames of 50 packets"),
    ):
        video.frames([0, 49])
    for name in ("zero_bytes.webm", "audio_only.mp3"):
        with pytest.raises(VideoDecodeError, match=name):
            open_video(shared_videos / "broken" / name)


def test_picture_size_that_changes_is_an_error(tmp_path):
    parts = []
    for size in (48, 96):
        part = encode_video(tmp_path / f"{size}.h264", numbered_frames(10, height=size, width=2 * size))
        parts.append(part.read_bytes())
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(parts))
    with open_video(path) as video:
        assert video.frames([0, 5]).shape == (2, 48, 96, 3)
        with pytest.raises(VideoDecodeError, match=r"frame 15 is 192 x 96 pixels, others of this clip are 96 x 48"):
            video.frames([0, 15])


def test_error_survives_pickling_and_torch_workers():
    error = VideoDecodeError("a.mp4", "broken; drop it")
    assert str(pickle.loads(pickle.dumps(error))) == "a.mp4: broken; drop it"
    assert str(VideoDecodeError(str(error))) == "a.mp4: broken; drop it"  # as a data loader builds it anew


def test_reading_does_not_leak(tmp_path):
    # A turned video: asking for its display matrix used to tie frames into cycles.
    path = encode_video(tmp_path / "a.mp4", numbered_frames(4, height=240, width=320), rotation=90)

    def cycle(count: int) -> int:
        for _ in range(count):
            with open_video(path) as video:
                video.frames([3, 0])
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux, the peak

    gc.disable()  # nothing may wait for the garbage collector
    try:
        before = cycle(50)
        assert cycle(250) < before + 8 * 1024
    finally:
        gc.enable()
