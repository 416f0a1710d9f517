"""What does not fit a network in stages is named, with what would."""

import pytest

from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.presets import preset


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depths": (2,)}, r"depths=\(2,\) has 1 numbers for the 4 stages of widths=\(96, 192, 384, 768\)"),
        ({"widths": ()}, r"widths=\(\); wanted a whole number from 1 up for each stage"),
        ({"num_heads": (3, 5, 12, 24)}, r"a width of 192 is not a multiple of 5 heads"),
        ({"attention": ("joint", "space")}, r"names 2; wanted one for all, or 4 for 4 stages"),
        ({"attention": "space>time(2)"}, r"'space>time\(2\)' is a network of its own, and no scheme of a stage"),
        ({"attention": "jiont"}, "did you mean 'joint'"),
        ({"downsampling": "marge"}, "'marge' is unknown; did you mean 'merge'"),
        ({"downsampling": "merge(2)"}, r"downsampling='merge\(2\)': merge takes no numbers"),
        ({"downsampling": "merge+"}, "cannot be read; write a name with whole numbers"),
        ({"stem": "patches"}, "stem='patches' is unknown; choose one of filled, overlapping, patch_conv"),
        ({"pooling": "max"}, "pooling='max' is unknown"),
        ({"norm_eps": 0.0}, r"norm_eps=0.0 must be above 0"),
        ({"drop_path": 1.0}, "drop_path=1.0 is not a probability below 1"),
        ({"num_frames": 0}, "num_frames=0 must be at least 1"),
    ],
)
def test_what_does_not_fit_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        HierarchicalConfig(**changes)


def test_sizes_are_refused_with_the_nearest_whole_patches_that_fit():
    hiera, swin = preset("hiera-b"), preset("swin3d-t")
    swin.check_clip(1, 1, 233)
    hiera.check_clip(5, 96, 224)
    with pytest.raises(ValueError, match=r"input=224x230: 230 pixels .* nearest sizes are 224 and 256"):
        hiera.check_clip(16, 224, 230)


def test_depth_is_cut_in_every_stage_and_drop_path_rises_through_all():
    config = HierarchicalConfig(drop_path=0.3)
    assert config.shallow(2).depths == (2, 2, 2, 2)
    assert [round(config.drop_path_of(block), 3) for block in (0, 11)] == [0, 0.3]
