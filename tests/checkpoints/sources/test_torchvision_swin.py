"""torchvision's Video Swin files: read by their content, with names of classes and pixels as torchvision has them."""

import pytest
import torch
from torchvision.models.video import Swin3D_T_Weights
from torchvision.models.video.swin_transformer import SwinTransformer3d

import vidattn
from vidattn.checkpoints.sources.torchvision_swin import window_of


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(0)
    return SwinTransformer3d([2, 4, 4], 12, [1, 2], [2, 4], [2, 3, 3], num_classes=400).eval()


def test_a_file_of_torchvisions_is_loaded_with_all_that_is_known_of_it(theirs, tmp_path):
    torch.save(theirs.state_dict(), tmp_path / "swin3d.pth")
    model = vidattn.load(tmp_path / "swin3d.pth")
    assert model.licence.startswith("not stated with the weights: torchvision (BSD-3-Clause) took them from")
    clips = torch.randn(2, 3, 4, 48, 24)
    with torch.no_grad():
        torch.testing.assert_close(model.network(clips), theirs(clips), rtol=1e-5, atol=1e-5)
    weights = Swin3D_T_Weights.KINETICS400_V1
    pixels = weights.transforms()
    assert model.class_names == weights.meta["categories"]
    assert model.preprocessing.pixels == (tuple(pixels.mean), tuple(pixels.std))
    assert (model.preprocessing.image_size, model.preprocessing.short_side) == (224, *pixels.resize_size)
    assert model.report == [
        "num_frames and image_size: taken as 32 and 224, as published; the file does not say",
        "class names: taken as those of torchvision's weights for Kinetics-400; the file names none",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("features.1.norm.weight"), "missing: features.1.norm.weight"),
        (lambda state: state.update(more=torch.zeros(2)), "left over: more"),
        (
            lambda state: state.update({"features.0.0.attn.relative_position_index": torch.zeros(4, 4)}),
            "its table of 75 offsets is of no window of 4 tokens",
        ),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_was_found(theirs, tmp_path, change, message):
    state = dict(theirs.state_dict())
    change(state)
    torch.save(state, tmp_path / "swin3d.pth")
    with pytest.raises(ValueError, match=message):
        vidattn.load(tmp_path / "swin3d.pth")


@pytest.mark.parametrize("window", [(8, 7, 7), (16, 7, 7), (4, 4, 4), (1, 7, 7), (2, 3, 3)])
def test_a_window_is_known_by_its_table(window):
    t, h, w = window
    assert window_of((2 * t - 1) * (2 * h - 1) * (2 * w - 1), t * h * w) == window
