"""timm's image Swin, inflated: on a clip that stands still its logits are the image model's."""

import pytest
import torch
from timm.models.swin_transformer import SwinTransformer, checkpoint_filter_fn

import vidattn


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(0)
    model = SwinTransformer(img_size=64, window_size=4, embed_dim=12, depths=(1, 2), num_heads=(2, 4), num_classes=5)
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, 1.0 if "norm" in name and "weight" in name else 0.0, std=0.2)
    return model.eval()


@pytest.mark.parametrize("frames", [2, 6, 32])
def test_a_still_clip_has_the_pictures_logits(theirs, tmp_path, frames):
    torch.save(theirs.state_dict(), tmp_path / "swin.pth")
    model = vidattn.load(tmp_path / "swin.pth", image_size=64)
    picture = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        logits = model.network(picture[:, :, None].expand(-1, -1, frames, -1, -1))
        torch.testing.assert_close(logits, theirs(picture), rtol=1e-5, atol=1e-5)
    assert model.config.attention == "swin3d(8,4,4)"
    assert model.licence.startswith("MIT by timm's list")
    assert model.report[0].startswith("inflated from an image model")


def test_files_that_merge_behind_their_stages_are_refused(theirs, tmp_path):
    state = {
        name.replace("layers.1.downsample", "layers.0.downsample"): value for name, value in theirs.state_dict().items()
    }
    torch.save({"model": state}, tmp_path / "swin.pth")
    with pytest.raises(ValueError, match="the merging behind its stages, as Microsoft's own files; give timm's"):
        vidattn.load(tmp_path / "swin.pth")


@pytest.mark.parametrize(("window", "size"), [(6, 96), (8, 128), (3, 48)])
def test_at_another_window_than_the_trained_one_it_answers_as_timm_does(theirs, tmp_path, window, size):
    torch.save(theirs.state_dict(), tmp_path / "swin.pth")
    shape = {"embed_dim": 12, "depths": (1, 2), "num_heads": (2, 4), "num_classes": 5}
    other = SwinTransformer(img_size=size, window_size=window, **shape).eval()
    other.load_state_dict(checkpoint_filter_fn(theirs.state_dict(), other), strict=False)
    model = vidattn.load(tmp_path / "swin.pth", image_size=size, attention=f"swin3d(8,{window},{window})")
    picture = torch.randn(2, 3, size, size)
    with torch.no_grad():
        logits = model.network(picture[:, :, None].expand(-1, -1, 4, -1, -1))
        torch.testing.assert_close(logits, other(picture), rtol=1e-5, atol=1e-5)
    line = f"windows: (8, 4, 4) -> (8, {window}, {window}), tables of offsets resized as timm does, 3 of them"
    assert line in model.report
    assert not any("fresh" in line for line in model.report)
