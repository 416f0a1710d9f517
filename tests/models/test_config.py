import pytest
import torch

from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"image_size": 225},
            "image_size=225x225: 225 is not a multiple of patch_size=16; nearest sizes are 224 and 240",
        ),
        ({"image_size": (224, 100)}, "100 is not a multiple of patch_size=16; nearest sizes are 96 and 112"),
        ({"image_size": 8}, "nearest sizes are 16"),
        ({"embed_dim": 100}, "embed_dim=100 is not a multiple of num_heads=12; nearest widths: 96 and 108"),
        (
            {"pooling": "max"},
            "pooling='max' is unknown; choose one of class_token, registers, mean, normed_mean, hidden_mean, attentive",
        ),
        ({"position": "rope"}, r"position='rope' is unknown; choose one of space\+time, token, sine, map, none"),
        ({"pixels": "flow"}, "pixels='flow' is unknown; choose one of rgb, motion"),
        ({"norm": "rms"}, "norm='rms' is unknown; choose one of layer_norm, dyt"),
        ({"activation": "relu"}, "activation='relu' is unknown; choose one of gelu, gelu_tanh"),
        ({"qkv_bias": "key"}, "qkv_bias='key' is unknown; choose one of all, query_value, none"),
        ({"query_key": "rope"}, r"query_key='rope' is unknown; choose one of plain, norm, rotary, norm\+rotary"),
        ({"conditional_position": "cpvt"}, "conditional_position='cpvt' is unknown; choose one of none, peg, peg3d"),
        (
            {"attention": "time+pvt", "query_key": "norm"},
            r"query_key='norm' has no meaning in SpatialReductionAttention, a step of attention='time\+pvt'",
        ),
        ({"attention": "linear", "query_key": "rotary"}, "has no meaning in JointLinearAttention"),
        ({"attention": "pooled", "query_key": "rotary"}, "has no meaning in PooledAttention"),
        ({"embed_dim": 48, "query_key": "rotary"}, "a head of 4 is narrower than 6"),
        ({"attention": "space", "conditional_position": "peg3d"}, "blocks see one frame at a time; use peg"),
        ({"attention": "space>time(2)", "conditional_position": "peg3d"}, "blocks see one frame at a time; use peg"),
        ({"image_size": -32}, "-32 is not a positive multiple of patch_size=16; nearest sizes are 16$"),
        ({"norm_eps": 0.0}, r"norm_eps=0.0 must be above 0"),
        ({"mlp_ratio": 0.0}, "mlp_ratio=0.0 must be above 0 and finite; ViT's is 4"),
        ({"mlp_ratio": -1.0}, "mlp_ratio=-1.0 must be above 0"),
        ({"mlp_ratio": 0.001}, "mlp_ratio=0.001 leaves an MLP no width at embed_dim=768; ViT's is 4"),
        ({"init_std": -1.0}, "init_std=-1.0 must be above 0 and finite; ViT's is 0.02"),
        ({"init_std": float("nan")}, "init_std=nan must be above 0"),
        (
            {"num_frames": 9, "tubelet_size": 2},
            "num_frames=9 is not a multiple of tubelet_size=2; nearest lengths are 8 and 10",
        ),
        ({"num_frames": 2, "tubelet_size": 4}, "nearest lengths are 4"),
        ({"attention": "dvided"}, "did you mean 'divided'"),
        ({"drop_path": 1.0}, "drop_path=1.0 is not a probability below 1"),
        ({"depth": 0}, "depth=0 must be at least 1"),
    ],
)
def test_a_wrong_value_is_refused_with_the_next_move(fields, message):
    with pytest.raises(ValueError, match=message):
        VideoTransformerConfig(**fields)


def test_drop_path_rises_linearly_from_zero():
    config = VideoTransformerConfig(depth=5, drop_path=0.2)
    assert [round(config.drop_path_of(block), 3) for block in range(5)] == [0, 0.05, 0.1, 0.15, 0.2]


@pytest.mark.parametrize("attention", ["time", "time+cbam", "time+swin(2)", "space+cbam", "joint", "space>time(2)"])
@pytest.mark.parametrize("pooling", ["class_token", "mean"])
def test_a_network_whose_class_token_never_hears_of_the_video_answers_blindly(attention, pooling):
    config = VideoTransformerConfig(attention, 5, 4, 32, 8, 32, 2, 2, pooling=pooling)
    torch.manual_seed(0)
    network = build_network(config)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    one, other = network(torch.randn(2, 3, 4, 32, 32))

    assert torch.equal(one, other) == config.answers_blindly
    assert config.answers_blindly == (attention.startswith("time") and pooling == "class_token")
