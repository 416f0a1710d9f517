import pytest
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


@pytest.mark.parametrize("pooling", ["class_token", "mean", "attentive"])
@pytest.mark.parametrize("attention", ["divided", "space", "space>time(3)"])
def test_the_head_takes_what_is_read_of_the_features(attention, pooling):
    net = network(attention, pooling=pooling)
    video = torch.randn(2, 3, 4, 32, 32)

    vectors = net.read(net.features(video))

    assert vectors.shape == (2, net.num_features) == (2, net.config.embed_dim)
    torch.testing.assert_close(net.head(vectors), net(video))


@pytest.mark.parametrize("attention", ["divided", "space", "space>time(3)"])
def test_a_new_head_has_other_classes_and_the_rest_stays(attention):
    net = network(attention).double()
    before = {name: value.clone() for name, value in net.state_dict().items() if not name.startswith("head.")}

    net.reset_classifier(7)

    assert net(torch.randn(2, 3, 4, 32, 32, dtype=torch.float64)).shape == (2, 7)
    assert (net.config.num_classes, net.config.attention, net.head.weight.dtype) == (7, attention, torch.float64)
    assert all(torch.equal(net.state_dict()[name], value) for name, value in before.items())
    fresh = build_network(net.config).double()
    fresh.load_state_dict(net.state_dict())
    with pytest.raises(ValueError, match="num_classes=0"):
        net.reset_classifier(0)
    assert net.head.out_features == 7
