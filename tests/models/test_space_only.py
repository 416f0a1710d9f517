import torch
from small_networks import SIZES as SMALL

from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network


def network(attention="divided", **changes):
    """A small network with every parameter random, in evaluation mode."""
    torch.manual_seed(0)
    net = build_network(VideoTransformerConfig(**(SMALL | {"attention": attention} | changes))).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return net


def test_space_only_does_not_see_the_order_of_frames():
    video = torch.randn(1, 3, 4, 32, 32, dtype=torch.float64)

    def change(attention):
        net = network(attention).double()
        return (net(video) - net(video.flip(2))).abs().max()

    assert change("space") < 1e-12
    assert change("divided") > 1e-6
    assert change("joint") > 1e-6
