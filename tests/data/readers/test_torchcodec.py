import pytest
import torch
from backends import need

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video


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
