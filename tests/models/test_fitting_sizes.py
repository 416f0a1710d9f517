import pytest

from vidattn.models.fitting_sizes import check_divisible, check_frames


def test_what_fits_is_taken():
    check_divisible((224, 320), 16, "image_size")
    check_frames(8, 2, "num_frames")


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((225, 224), "225 is not a multiple of patch_size=16; nearest sizes are 224 and 240"),
        ((224, 0), "0 is not a positive multiple of patch_size=16; nearest sizes are 16"),
        ((7, 224), "7 is not a multiple of patch_size=16; nearest sizes are 16"),
    ],
)
def test_the_nearest_sizes_are_named(size, message):
    with pytest.raises(ValueError, match=message):
        check_divisible(size, 16, "image_size")


def test_the_nearest_lengths_are_named():
    with pytest.raises(ValueError, match=r"num_frames=7 is not a multiple .*; nearest lengths are 4 and 8"):
        check_frames(7, 4, "num_frames")
