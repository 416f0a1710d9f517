import pytest
import torch
from torch import nn

from vidattn.models.config import VideoTransformerConfig
from vidattn.models.norms import DynamicTanh
from vidattn.models.presets import build_network

SMALL = {"num_classes": 5, "num_frames": 4, "image_size": 32, "patch_size": 8, "embed_dim": 32, "num_heads": 2}


def test_dyt_is_the_papers_equation():
    norm = DynamicTanh(6)
    for parameter in norm.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(2, 3, 6)
    torch.testing.assert_close(norm(x), norm.weight * torch.tanh(norm.alpha * x) + norm.bias)


def test_a_fresh_dyt_has_the_papers_alpha_and_is_odd():
    norm, x = DynamicTanh(6), torch.randn(2, 6)
    torch.testing.assert_close(norm(x), torch.tanh(0.5 * x))


@pytest.mark.parametrize("attention", ["divided", "space", "space>time(2)", "pooled", "time+pvt"])
@pytest.mark.parametrize("pooling", ["class_token", "attentive"])
def test_no_layer_norm_is_left_and_each_norm_has_one_parameter_more(attention, pooling):
    def build(norm):
        return build_network(VideoTransformerConfig(**SMALL, depth=2, attention=attention, pooling=pooling, norm=norm))

    plain, dyt = build("layer_norm"), build("dyt")
    norms = [layer for layer in plain.modules() if isinstance(layer, nn.LayerNorm)]
    assert not any(isinstance(layer, nn.LayerNorm) for layer in dyt.modules())
    count = [sum(parameter.numel() for parameter in net.parameters()) for net in (plain, dyt)]
    assert count[1] - count[0] == len(norms)
    assert set(plain.state_dict()) < set(dyt.state_dict())
    assert dyt(torch.randn(1, 3, 4, 32, 32)).isfinite().all()


def test_norm_eps_is_that_of_blocks_and_last_norm():
    net = build_network(VideoTransformerConfig(**SMALL, depth=2, norm_eps=1e-12))
    assert {layer.eps for layer in net.modules() if isinstance(layer, nn.LayerNorm)} == {1e-12}
