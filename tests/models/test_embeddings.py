import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vidattn.models.embeddings import PatchEmbedding, TubeletEmbedding, average_frames, central_frame


def test_tubelets_are_a_strided_3d_convolution():
    tubelets = TubeletEmbedding(10, patch_size=4, tubelet_size=3)
    video = torch.randn(2, 3, 6, 8, 12)
    expected = nn.functional.conv3d(video, tubelets.weight, tubelets.bias, stride=(3, 4, 4))
    torch.testing.assert_close(tubelets(video), expected.permute(0, 2, 3, 4, 1), rtol=1e-4, atol=1e-5)


def test_declared_macs_are_the_measured_ones():
    with torch.device("meta"):
        tubelets = TubeletEmbedding(10, patch_size=4, tubelet_size=2)
        with FlopCounterMode(display=False) as counter:
            tokens = tubelets(torch.empty(1, 3, 6, 8, 12))
    assert tokens.shape == (1, 3, 2, 3, 10)
    assert counter.get_total_flops() == 2 * tubelets.macs(3 * 2 * 3).total


def inflated(inflate, tubelet_size):
    """Patches of an image model, and tubelets with its weight inflated."""
    patches, tubelets = PatchEmbedding(10, 4), TubeletEmbedding(10, 4, tubelet_size)
    tubelets.weight.data, tubelets.bias.data = inflate(patches.weight.data, tubelet_size), patches.bias.data
    return patches, tubelets


@pytest.mark.parametrize("inflate", [central_frame, average_frames])
@pytest.mark.parametrize("tubelet_size", [1, 2, 3])
def test_on_a_still_clip_inflated_tubelets_are_the_image_models_patches(inflate, tubelet_size):
    patches, tubelets = inflated(inflate, tubelet_size)
    image = torch.randn(1, 3, 1, 8, 8)
    torch.testing.assert_close(tubelets(image.expand(-1, -1, 2 * tubelet_size, -1, -1))[:, :1], patches(image))


def test_the_central_frame_alone_is_seen():
    patches, tubelets = inflated(central_frame, 3)
    video = torch.randn(1, 3, 6, 8, 8)
    torch.testing.assert_close(tubelets(video), patches(video[:, :, 1::3]))


def test_the_mean_of_the_frames_is_seen():
    patches, tubelets = inflated(average_frames, 2)
    video = torch.randn(1, 3, 6, 8, 8)
    mean = video.unflatten(2, (3, 2)).mean(3)
    torch.testing.assert_close(tubelets(video), patches(mean), rtol=1e-4, atol=1e-5)
