"""Video Swin against torchvision's, and against a plain loop where torchvision reads wrong rows of its table."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import video as torchvision_video
from torchvision.models.video.swin_transformer import SwinTransformer3d

from vidattn.checkpoints.sources import torchvision_swin
from vidattn.models.presets import build_network, preset

# torchvision's parameters and, at 16 and 32 frames of 224 pixels, its GMACs.
PUBLISHED = {
    "swin3d-t": (28_158_070, 43.882, 87.764),
    "swin3d-s": (49_816_678, 82.841, 165.682),
    "swin3d-b": (88_048_984, 140.667, 281.333),
}


def tiny(**changes) -> SwinTransformer3d:
    torch.manual_seed(0)
    sizes = {"patch_size": [2, 4, 4], "embed_dim": 12, "depths": [2, 3], "num_heads": [2, 4], "window_size": [2, 3, 3],
             "num_classes": 5}  # fmt: skip
    theirs = SwinTransformer3d(**sizes | changes).eval()
    for name, parameter in theirs.named_parameters():
        torch.nn.init.normal_(parameter, 1.0 if "norm" in name and "weight" in name else 0.0, std=0.2)
    return theirs


def ours_of(theirs):
    saved = torchvision_swin.read(theirs.state_dict(), None)
    network = build_network(saved.config).eval()
    network.load_state_dict(saved.state)
    return network


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_cost_are_torchvisions(name):
    parameters, *macs = PUBLISHED[name]
    with torch.device("meta"):
        ours, theirs = build_network(preset(name)), getattr(torchvision_video, name.replace("-", "_"))()
        with FlopCounterMode(display=False) as counter:
            theirs(torch.empty(1, 3, 16, 224, 224))
    assert counter.get_total_flops() == ours.macs(16, 224, 224).flops  # which tests/flops hold to what torch counts
    assert [round(ours.macs(frames, 224, 224).total / 1e9, 3) for frames in (16, 32)] == macs
    assert sum(parameter.numel() for parameter in ours.parameters()) == parameters


# Maps that the windows divide, that they do not, that cannot be halved; one frame, and a clip shorter than a window.
@pytest.mark.parametrize("size", [(4, 48, 48), (8, 48, 24), (5, 43, 61), (3, 37, 50), (1, 48, 48), (2, 27, 90)])
def test_answers_are_torchvisions(size):
    theirs = tiny()
    ours, clips = ours_of(theirs), torch.randn(2, 3, *size)
    with torch.no_grad():
        torch.testing.assert_close(ours(clips), theirs(clips), rtol=1e-5, atol=1e-5)


def test_slopes_are_torchvisions():
    theirs = tiny().double()
    ours, clips = ours_of(theirs).double(), torch.randn(2, 3, 5, 43, 61, dtype=torch.float64)
    for network in (ours, theirs):
        network(clips).square().sum().backward()
    table = "relative_position_bias_table"
    for layer, name in torchvision_swin.names((2, 3)).items():
        for part in ("weight", "bias") if table not in name and "steps.0.bias" not in layer else ("",):
            path = f".{part}" if part else ""
            if (layer.endswith("reduction")) and part == "bias":
                continue
            found, wanted = ours.get_parameter(layer + path).grad, theirs.get_parameter(name + path).grad
            wanted = wanted.mT if name.endswith(table) else wanted
            torch.testing.assert_close(found, wanted.reshape(found.shape), msg=layer)


def test_of_its_own_size_the_answers_are_torchvisions():
    theirs = torchvision_video.swin3d_t().eval()
    ours, clips = ours_of(theirs), torch.randn(1, 3, 4, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(ours(clips), theirs(clips), rtol=1e-5, atol=1e-5)


def test_where_the_window_divides_windows_that_are_cut_give_the_same_for_less():
    network = build_network(preset("swin3d-t", widths=(8, 16), depths=(2, 2), num_heads=(2, 4), num_classes=3)).eval()
    cut = build_network(preset("swin3d-t", widths=(8, 16), depths=(2, 2), num_heads=(2, 4), num_classes=3,
                               attention="window(8,7,7)")).eval()  # fmt: skip
    cut.load_state_dict(network.state_dict())
    clips = torch.randn(1, 3, 16, 112, 112)
    with torch.no_grad():
        torch.testing.assert_close(cut(clips), network(clips), rtol=1e-4, atol=1e-5)
    assert cut.macs(16, 112, 112).total < network.macs(16, 112, 112).total
