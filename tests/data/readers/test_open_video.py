import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from backends import need
from encode import encode_video, numbered_frames

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video, reader_version


def test_unknown_reader_lists_the_known(tiny_video):
    with pytest.raises(ValueError, match="reader='opencv' is unknown; choose one of pyav, decord, torchcodec"):
        open_video(tiny_video, reader="opencv")
    with pytest.raises(ValueError, match="choose one of pyav, decord, torchcodec"):
        reader_version("opencv")


def test_version_names_the_library_that_decodes():
    assert reader_version("pyav").startswith(f"pyav {version('av')} (libavcodec ")


@pytest.mark.parametrize("reader", ["decord", "torchcodec"])
def test_missing_backend_says_what_to_do(tiny_video, monkeypatch, reader):
    monkeypatch.setitem(sys.modules, reader, None)  # import fails
    with pytest.raises(ImportError, match=f"reader={reader} .*pip install .*or use reader=pyav"):
        open_video(tiny_video, reader=reader)


@pytest.fixture(params=["decord", "torchcodec"])
def other_reader(request) -> str:
    """A backend other than PyAV that loads here."""
    need(request.param)
    return request.param


def test_readers_agree_bit_for_bit(shared_videos, other_reader):
    for name in ("arm_wrestling.mp4", "flipping_pancake.mkv", "kinetics_sample.mp4", "asl/brother.mkv"):
        path = shared_videos / "actions" / name
        with open_video(path) as ours, open_video(path, reader=other_reader) as other:
            assert other.num_frames == ours.num_frames
            assert other.fps == ours.fps
            assert (other.times == ours.times).all()
            indices = [ours.num_frames - 1, 0, 40, 7, 7]
            assert torch.equal(other.frames(indices), ours.frames(indices))


def test_readers_take_bytes_and_check_indices_alike(tiny_video, other_reader):
    with open_video(tiny_video.read_bytes()) as ours, open_video(tiny_video.read_bytes(), other_reader) as other:
        assert torch.equal(other.frames([47, 3]), ours.frames([47, 3]))
        with pytest.raises(IndexError, match="<bytes>: frame 48 was asked, but the video has frames 0 to 47"):
            other.frames([48])
    with pytest.raises(ValueError, match="the reader is closed"):
        other.frames([0])


def test_a_colon_in_a_relative_path_makes_no_protocol(tiny_video, tmp_path, monkeypatch, other_reader):
    monkeypatch.chdir(tmp_path)
    Path("cam1:left").mkdir()
    for name in ("cam1:left/a.mp4", "2024-11-25T10:32.mp4"):
        shutil.copy(tiny_video, name)
        for reader in ("pyav", other_reader):
            with open_video(name, reader=reader) as video, open_video(tiny_video) as same:
                assert torch.equal(video.frames([3]), same.frames([3]))
                assert video.path == name
    Path("a:b.mp4").write_bytes(b"no video")
    with pytest.raises(VideoDecodeError, match=r"^a:b\.mp4: cannot open it"):
        open_video("a:b.mp4", reader=other_reader)


@pytest.mark.parametrize("name", ["codecs/h264_10bit.mp4", "odd/mpeg4_bframes_nonmonotonic_pts.avi"])
def test_other_readers_refuse_what_they_get_wrong(shared_videos, other_reader, name):
    with pytest.raises(VideoDecodeError, match="use reader=pyav"):
        open_video(shared_videos / name, reader=other_reader)


@pytest.mark.parametrize("name", ["codecs/hevc.mp4", "codecs/av1.mkv", "broken/one_pixel.mp4"])
def test_decord_refuses_codecs_it_gets_wrong(shared_videos, name):
    pytest.importorskip("decord")
    with pytest.raises(VideoDecodeError, match="use reader=pyav"):
        open_video(shared_videos / name, reader="decord")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"options": {"bf": "3", "x264-params": "open-gop=1:keyint=12:scenecut=0:b-adapt=0"}}, "another picture"),
        ({"options": {"x264-params": "intra-refresh=1:keyint=15:bframes=2"}}, "cannot be sought in, which decord does"),
        ({"pts": [i - 17 for i in range(40)], "options": {"g": "10"}}, "decord counts .* frames, decoding gives"),
        ({"options": {"flags": "+ildct+ilme", "x264-params": "interlaced=1"}}, "timestamps do not tell"),
    ],
    ids=["open groups", "intra refresh", "edit list", "interlaced"],
)
def test_decord_refuses_streams_it_seeks_wrongly(tmp_path, arguments, reason):
    pytest.importorskip("decord")
    path = encode_video(tmp_path / "a.mp4", numbered_frames(40), **arguments)
    with pytest.raises(VideoDecodeError, match=f"{reason}.*use reader=pyav"):
        open_video(path, reader="decord")


def test_files_without_video_are_errors_in_every_reader(shared_videos, other_reader):
    with pytest.raises(VideoDecodeError, match="it has no video stream"):
        open_video(shared_videos / "broken" / "audio_only.mp3", reader=other_reader)


def test_other_readers_return_the_frames_of_sequential_decoding_or_refuse(shared_videos, other_reader):
    verdicts = {}
    for path in sorted(path for folder in ("odd", "codecs", "broken") for path in (shared_videos / folder).iterdir()):
        name = f"{path.parent.name}/{path.name}"
        try:
            with open_video(path, other_reader) as other, open_video(path) as ours:
                last = ours.num_frames - 1
                indices = sorted({0, last // 3, last // 2, last})
                assert torch.equal(other.frames(indices), ours.frames(indices)), name
                verdicts[name] = "same"
        except VideoDecodeError:
            verdicts[name] = "refused"
    assert verdicts["odd/variable_frame_rate.mp4"] == "same"
    assert list(verdicts.values()).count("same") >= 4
    for name in ("codecs/h264_10bit.mp4", "broken/zero_bytes.webm", "broken/audio_only.mp3"):
        assert verdicts[name] == "refused"


@pytest.fixture
def gpu(monkeypatch):
    """Stands for a GPU that decodes with slightly other colours; what it was asked for is noted."""
    need("torchcodec")
    decoders = pytest.importorskip("torchcodec.decoders")
    asked = []

    class Decoder(decoders.VideoDecoder):
        shift = 0

        def __init__(self, source, *, device, **options):
            asked.append(device)
            super().__init__(source, device="cpu", **options)

        def get_frames_at(self, indices):
            batch = super().get_frames_at([max(0, index - self.shift) for index in indices])
            batch.data = batch.data.clamp(3, 252) + torch.randint(-3, 4, batch.data.shape).to(torch.uint8)
            return batch

    monkeypatch.setattr(decoders, "VideoDecoder", Decoder)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    return Decoder, asked


def test_colours_of_the_gpu_need_only_be_alike(gpu, tiny_video):
    with open_video(tiny_video, "torchcodec_cuda") as other, open_video(tiny_video) as ours:
        difference = (other.frames([40, 3]).int() - ours.frames([40, 3]).int()).abs()
        assert 0 < difference.float().mean() < 4
    assert gpu[1] == ["cuda"]


def test_other_pictures_of_the_gpu_are_refused(gpu, tiny_video, monkeypatch):
    monkeypatch.setattr(gpu[0], "shift", 1)

    with pytest.raises(VideoDecodeError, match="torchcodec returns another picture for frame"):
        open_video(tiny_video, "torchcodec_cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_decoding_on_a_gpu_that_is_not_there_says_so(tiny_video):
    pytest.importorskip("torchcodec.decoders", exc_type=Exception)
    with pytest.raises(ValueError, match=r"reader=torchcodec_cuda needs a CUDA device.*vidattn doctor"):
        open_video(tiny_video, "torchcodec_cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_real_gpu_returns_pictures_alike(shared_videos):
    pytest.importorskip("torchcodec.decoders", exc_type=Exception)
    path = shared_videos / "actions" / "kinetics_sample.mp4"
    with open_video(path, "torchcodec_cuda") as other, open_video(path) as ours:
        wanted = [299, 0, 40, 7]
        assert (other.frames(wanted).float() - ours.frames(wanted).float()).abs().mean() < 4
