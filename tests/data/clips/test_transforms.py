import pytest
import torch
from torchvision.transforms import v2

from vidattn.data.clips.transforms import (
    ShortSide,
    ShortSideJitter,
    SpatialCrops,
    default_train_transforms,
)


def still_clip(height=40, width=56, num_frames=5):
    """One textured frame, repeated; strided as a decoder's `(T, H, W, 3)` output is."""
    frame = torch.randint(256, (height, width, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return frame.repeat(num_frames, 1, 1, 1).permute(0, 3, 1, 2)


@pytest.mark.parametrize(
    "transform",
    [
        ShortSideJitter(20, 60),
        v2.RandomCrop(32),
        v2.RandomResizedCrop(32, antialias=True),
        v2.RandomHorizontalFlip(),
        v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
        v2.RandAugment(),
        v2.RandomErasing(p=0.8),
        v2.RandomErasing(p=0.8, value="random"),
        v2.RandomGrayscale(0.5),
        v2.GaussianBlur(3),
        v2.TrivialAugmentWide(),
        v2.RandomApply([v2.ColorJitter(0.4)]),
    ],
    ids=lambda transform: type(transform).__name__,
)
def test_one_draw_serves_the_whole_clip(transform):
    clip = still_clip()
    results = []
    for seed in range(30):
        torch.manual_seed(seed)
        results.append(transform(clip))

    for result in results:
        assert result.dtype == torch.uint8
        assert len(result) == len(clip)
        assert (result == result[:1]).all()
    assert any(result.shape != results[0].shape or (result != results[0]).any() for result in results)


def test_short_side_keeps_the_shape_of_wide_and_upright_clips():
    assert ShortSide(20)(still_clip(40, 57)).shape == (5, 3, 20, 28)
    assert ShortSide(20)(still_clip(57, 40)).shape == (5, 3, 28, 20)


def test_resizing_averages_instead_of_picking_pixels():
    # Columns alternate black and white: without antialiasing some rows of the result would be black or white.
    clip = torch.zeros(2, 3, 64, 64, dtype=torch.uint8)
    clip[..., ::2] = 255

    small = ShortSide(16)(clip)

    assert (small.int() - 127).abs().max() < 20


def test_jitter_draws_every_size_from_low_to_high():
    jitter = ShortSideJitter(20, 23)
    torch.manual_seed(0)
    sizes = [jitter(still_clip(num_frames=1)).shape[-2] for _ in range(100)]

    assert set(sizes) == {20, 21, 22, 23}


@pytest.mark.parametrize(("height", "width"), [(8, 19), (19, 8)])
def test_three_crops_are_both_ends_and_the_middle_of_the_long_side(height, width):
    clip = still_clip(height, width)
    crops = SpatialCrops(8, 3)(clip)

    # 11 pixels of room; the middle is rounded up as in TimeSformer's uniform_crop.
    for crop, offset in zip(crops, [0, 6, 11], strict=True):
        along = clip[..., offset : offset + 8] if width > height else clip[..., offset : offset + 8, :]
        assert torch.equal(crop, along)


def test_one_crop_is_the_middle():
    clip = still_clip(8, 18)

    (crop,) = SpatialCrops(8, 1)(clip)

    assert torch.equal(crop, clip[..., 5:13])


def test_crops_resize_the_short_side_first():
    crops = SpatialCrops(32, 3)(still_clip(48, 96))

    assert [crop.shape for crop in crops] == [(5, 3, 32, 32)] * 3
    assert torch.equal(crops[2], ShortSide(32)(still_clip(48, 96))[..., 32:])


def test_crops_of_a_larger_short_side_are_centred_across_it():
    left, middle, right = SpatialCrops(16, 3, short_side=24)(
        torch.arange(24 * 40).view(1, 1, 24, 40).expand(2, 3, -1, -1)
    )

    assert left.shape == (2, 3, 16, 16)
    assert [int(crop[0, 0, 0, 0]) for crop in (left, middle, right)] == [4 * 40, 4 * 40 + 12, 4 * 40 + 24]
    with pytest.raises(ValueError, match="short_side=8 is less than the crop's size=16"):
        SpatialCrops(16, 1, short_side=8)


def test_default_training_transforms_are_those_of_the_papers_and_do_not_flip():
    jitter, crop = default_train_transforms(224)

    assert (jitter.low, jitter.high) == (256, 320)
    assert tuple(crop.size) == (224, 224)
    gradient = torch.arange(64, dtype=torch.uint8).expand(2, 3, 48, 64)
    for seed in range(20):
        torch.manual_seed(seed)
        clip = gradient
        for transform in default_train_transforms(32):
            clip = transform(clip)
        assert clip.shape == (2, 3, 32, 32)
        assert clip[0, 0, 0, 0] < clip[0, 0, 0, -1]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ShortSideJitter(30, 20), r"low=30, high=20.*expected 0 < low <= high"),
        (lambda: SpatialCrops(8, 0), "num_crops=0 must be 1"),
    ],
)
def test_impossible_numbers_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
