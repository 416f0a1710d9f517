import pytest
import torch
from torchvision.transforms import v2

from vidattn.models.normalize import NORMALIZATIONS, Normalize


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_equals_torchvision(name):
    mean, std = NORMALIZATIONS[name]
    video = torch.randint(256, (2, 3, 4, 5, 6), dtype=torch.uint8)
    frames = v2.functional.to_dtype(video.transpose(1, 2), torch.float32, scale=True)
    expected = v2.functional.normalize(frames, mean, std).transpose(1, 2)
    torch.testing.assert_close(Normalize(mean, std)(video), expected, rtol=1e-5, atol=1e-6)


def test_what_is_normalised_already_is_refused():
    with pytest.raises(ValueError, match="wanted uint8 pixels, normalisation happens here"):
        Normalize(*NORMALIZATIONS["imagenet"])(torch.zeros(1, 3, 2, 4, 4))


def test_a_std_of_zero_is_refused():
    with pytest.raises(ValueError, match="must be positive"):
        Normalize((0.5, 0.5, 0.5), (0.5, 0.0, 0.5))


@pytest.mark.parametrize("mean", [(0.5,), 0.5, ("a", "b", "c"), None])
def test_what_is_no_value_for_each_colour_is_refused(mean):
    with pytest.raises(ValueError, match=r"mean=.*: wanted a number for each of red, green and blue"):
        Normalize(mean, (0.5, 0.5, 0.5))
