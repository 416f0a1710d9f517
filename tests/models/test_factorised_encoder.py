import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vidattn.models.config import VideoTransformerConfig
from vidattn.models.factorised_encoder import Encoder, FactorisedEncoder
from vidattn.models.presets import build_network, preset

SMALL = VideoTransformerConfig(
    attention="space>time(3)",
    num_classes=5,
    num_frames=4,
    image_size=(16, 24),
    patch_size=8,
    embed_dim=32,
    depth=2,
    num_heads=2,
)


def network(config: VideoTransformerConfig = SMALL) -> FactorisedEncoder:
    """A small network in float64 with every parameter random, in evaluation mode."""
    torch.manual_seed(0)
    net = build_network(config).double().eval()
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.2)
    return net


def torchs(encoder: Encoder) -> nn.TransformerEncoder:
    """PyTorch's encoder with the same weights."""
    layer = nn.TransformerEncoderLayer(
        32, 2, 128, 0, "gelu", 1e-6, batch_first=True, norm_first=True, dtype=torch.float64
    )
    reference = nn.TransformerEncoder(layer, len(encoder.blocks), encoder.norm, enable_nested_tensor=False)
    for block, theirs in zip(encoder.blocks, reference.layers, strict=True):
        attention = block.steps[0].attn
        theirs.self_attn.in_proj_weight.data = attention.qkv.weight.data
        theirs.self_attn.in_proj_bias.data = attention.qkv.bias.data
        theirs.self_attn.out_proj.load_state_dict(attention.proj.state_dict())
        theirs.linear1, theirs.linear2 = block.mlp.fc1, block.mlp.fc2
        theirs.norm1, theirs.norm2 = block.norms[0], block.mlp_norm
    return reference.eval()


def test_it_is_one_transformer_on_each_frame_and_another_on_the_frames():
    net = network()
    spatial, temporal = torchs(net.spatial), torchs(net.temporal)
    video = torch.randn(2, 3, 4, 16, 24, dtype=torch.float64)
    frames = []
    for frame in video.unbind(2):
        patches = nn.functional.conv2d(frame, net.patch.weight, net.patch.bias, stride=8).flatten(2).mT
        tokens = torch.cat((net.spatial.prefix.expand(2, -1, -1), patches), dim=1) + net.spatial.position.table
        frames.append(spatial(tokens)[:, 0])
    tokens = torch.stack([net.temporal.prefix[:, 0].expand(2, -1), *frames], dim=1) + net.temporal.position.table
    torch.testing.assert_close(net(video), net.head(temporal(tokens)[:, 0]))


def test_parameters_and_cost_are_the_reference_ones():
    with torch.device("meta"):
        net = build_network(preset("B", attention="space>time(4)"))
        with FlopCounterMode(display=False) as counter:
            net(torch.empty(1, 3, 8, 224, 224))
    assert sum(parameter.numel() for parameter in net.parameters()) == 114_466_960
    assert net.macs(8, 224, 224).total == 140_760_090_624
    assert counter.get_total_flops() == 2 * 140_760_090_624


def test_frames_meet_in_the_temporal_stage_only():
    net = network()
    video = torch.randn(1, 3, 4, 16, 24, dtype=torch.float64)
    nudged = video.clone()
    nudged[:, :, 2] += 1

    def change(read):
        return (read(nudged) - read(video)).abs().amax(-1)

    frame = net.config.grid(4, 16, 24).frame()
    moved = change(lambda clip: net.spatial(net.patch(clip).flatten(0, 1).unsqueeze(1), frame)[:, 0]) > 1e-9
    assert moved.tolist() == [False, False, True, False]
    assert change(net) > 1e-6


def test_the_order_of_frames_counts():
    net = network()
    video = torch.randn(1, 3, 4, 16, 24, dtype=torch.float64)
    assert (net(video) - net(video.flip(2))).abs().max() > 1e-6


def test_every_block_is_listed_spatial_first_and_each_stage_has_its_own_drop_path_slope():
    net = build_network(
        VideoTransformerConfig(attention="space > time(3)", depth=5, embed_dim=32, num_heads=2, drop_path=0.4)
    )
    blocks = list(net.all_blocks())
    assert len(blocks) == 8
    assert blocks[4] is net.spatial.blocks[4]
    rates = [block.drop[1].p for block in blocks]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0, 0.2, 0.4])


def test_another_scheme_is_refused():
    with pytest.raises(ValueError, match=r"attention='joint' is no factorised encoder; wanted space>time\(4\)"):
        FactorisedEncoder(VideoTransformerConfig(attention="joint"))


def test_a_configuration_checks_the_spec():
    with pytest.raises(ValueError, match=r"'space>time' cannot be read; write space>time\(4\)"):
        VideoTransformerConfig(attention="space>time")
