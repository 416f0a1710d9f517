"""torchvision's MViTv2 files, also for clips of another length and size; the first MViT is refused."""

import pytest
import torch
from models.test_mvit import theirs_at

import vidattn


def test_a_file_is_loaded_and_resized_for_other_clips(tmp_path):
    theirs = theirs_at(4, 32, 32)
    torch.save(theirs.state_dict(), tmp_path / "mvit.pth")
    model = vidattn.load(tmp_path / "mvit.pth")
    assert model.licence.startswith("not stated with the weights: torchvision (BSD-3-Clause) took them from")
    clips = torch.randn(1, 3, 4, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(model.network(clips), theirs(clips), rtol=1e-5, atol=1e-5)
    assert model.preprocessing.pixels == ((0.45,) * 3, (0.225,) * 3)
    assert model.report[0] == "image_size: assumed square, 32x32; the file does not say"
    larger = vidattn.load(tmp_path / "mvit.pth", num_frames=8, image_size=64)
    assert any(line.startswith("relative positions: ") for line in larger.report)
    wide = torch.randn(1, 3, 8, 64, 64)
    with torch.no_grad():  # the same as resizing at run time
        torch.testing.assert_close(larger.network(wide), model.network(wide), rtol=1e-4, atol=1e-5)


def test_the_first_version_is_refused(tmp_path):
    state = {name: value for name, value in theirs_at(4, 32, 32).state_dict().items() if "rel_pos" not in name}
    torch.save(state | {"pos_encoding.spatial_pos": torch.zeros(64, 8)}, tmp_path / "mvit_v1.pth")
    with pytest.raises(ValueError, match="as torchvision's mvit_v1_b; vidattn reads the second version, mvit_v2_s"):
        vidattn.load(tmp_path / "mvit_v1.pth")
