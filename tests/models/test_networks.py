import pytest
import torch
from small_networks import SIZES as SMALL
from torch.utils.flop_counter import FlopCounterMode

from vidattn.attention.scheme import STEPS
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import PRESETS, build_network, preset

schemes = pytest.mark.parametrize(
    "attention", ["divided", "joint", "space", "axial", "local+global", "temporal+space", "space|time", "space>time(3)"]
)


# Published for ViT at patch 16 with 8 frames of 224 pixels and 400 classes: measured on the official code.
PUBLISHED = [
    ("Ti", "space", 5_601_616, 10_028_006_400),
    ("Ti", "joint", 5_603_152, 19_903_987_200),
    ("Ti", "divided", 7_831_120, 13_529_201_664),
    ("S", "space", 21_819_664, 36_788_140_032),
    ("S", "joint", 21_822_736, 56_465_783_808),
    ("S", "divided", 30_702_352, 50_677_315_584),
    ("B", "space", 86_106_256, 140_504_788_992),
    ("B", "joint", 86_112_400, 179_562_805_248),
    ("B", "divided", 121_566_352, 195_830_280_192),
    ("L", "space", 303_711_632, 492_429_918_208),
    ("L", "joint", 303_719_824, 596_056_145_920),
    ("L", "divided", 429_720_976, 688_937_254_912),
]


def network(attention="divided", **changes):
    """A small network with every parameter random, in evaluation mode."""
    torch.manual_seed(0)
    net = build_network(VideoTransformerConfig(**(SMALL | {"attention": attention} | changes))).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return net


@pytest.mark.parametrize(("size", "attention", "parameters", "macs"), PUBLISHED)
def test_parameters_and_cost_are_the_published_ones(size, attention, parameters, macs):
    with torch.device("meta"):
        net = build_network(preset(size, attention=attention))
        with FlopCounterMode(display=False) as counter:
            net(torch.empty(1, 3, 8, 224, 224))
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters
    assert net.macs(8, 224, 224).total == macs
    assert counter.get_total_flops() == 2 * macs


@pytest.mark.parametrize(
    ("name", "teraflops"), [("timesformer", 0.58749), ("timesformer-hr", 5.10806), ("timesformer-l", 7.13957)]
)
def test_the_papers_tflops_are_macs_of_three_views(name, teraflops):
    config = PRESETS[name]
    with torch.device("meta"):
        macs = build_network(config).macs(config.num_frames, *config.size)
    assert round(3 * macs.total / 1e12, 5) == teraflops


@schemes
@pytest.mark.parametrize("shape", [(4, 32, 32), (7, 32, 32), (1, 32, 32), (3, 48, 24), (2, 16, 40)])
def test_any_length_and_any_size_that_the_patch_divides_works_and_costs_what_is_declared(attention, shape):
    net = network(attention)
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        logits = net.to("meta")(torch.empty(2, 3, *shape))
    assert logits.shape == (2, 5)
    assert counter.get_total_flops() == 2 * net.macs(*shape).flops


@schemes
def test_tables_of_another_size_are_interpolated_not_cut(attention):
    """A still clip of one colour, twice as large: with interpolated tables its logits stay near; not with cut ones."""
    torch.manual_seed(0)
    net = build_network(VideoTransformerConfig(**(SMALL | {"attention": attention, "image_size": 64}))).eval()
    with torch.no_grad():
        same = net(torch.full((1, 3, 4, 64, 64), 0.3))
        larger = net(torch.full((1, 3, 8, 128, 128), 0.3))
        for table in (value for name, value in net.named_parameters() if name.endswith("position.table")):
            table.normal_()
        other = net(torch.full((1, 3, 4, 64, 64), 0.3))
    assert (larger - same).norm() < 0.25 * (other - same).norm()


@schemes
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 4, 30, 32), r"input=30x32: 30 is not a multiple of patch_size=8; nearest sizes are 24 and 32"),
        ((1, 4, 3, 32, 32), r"wanted clips \(batch, 3, frames, height, width\)"),
        ((3, 4, 32, 32), r"wanted clips \(batch, 3, frames, height, width\)"),
    ],
)
def test_a_wrong_input_says_what_was_wanted(attention, shape, message):
    with pytest.raises(ValueError, match=message):
        network(attention)(torch.zeros(shape))


@pytest.mark.parametrize("attention", [*STEPS, "divided", "axial", "space>time(1)"])
def test_a_batch_without_clips_gets_logits_of_no_clips(attention):
    with torch.no_grad():
        assert network(attention)(torch.empty(0, 3, 4, 32, 32)).shape == (0, 5)


def test_pixels_that_are_not_normalised_are_refused():
    with pytest.raises(ValueError, match="wanted normalised floats"):
        network()(torch.zeros(1, 3, 4, 32, 32, dtype=torch.uint8))


@schemes
@pytest.mark.parametrize("pooling", ["class_token", "registers", "mean", "attentive"])
def test_both_read_outs_train_every_parameter(attention, pooling):
    net = network(attention, pooling=pooling).train()
    net(torch.randn(2, 3, 4, 32, 32)).square().sum().backward()
    untouched = [name for name, p in net.named_parameters() if p.numel() and (p.grad is None or not p.grad.any())]
    assert untouched == []


@schemes
def test_gradient_checkpointing_changes_memory_only(attention):
    video = torch.randn(2, 3, 4, 32, 32)
    plain, saving = network(attention).train(), network(attention, gradient_checkpointing=True).train()
    for net in (plain, saving):
        net(video).square().sum().backward()
    for (name, one), other in zip(plain.named_parameters(), saving.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, msg=name)


@schemes
def test_compiles_in_one_graph_with_gradients(attention):
    net = network(attention, depth=1).train()
    video = torch.randn(1, 3, 4, 32, 32)
    torch._dynamo.reset()  # it compiles a function eight times at most, whoever asks
    # The way back is traced as well for one of them: a graph that autograd follows has the gradients of its network.
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager" if attention == "divided" else "eager")
    torch.testing.assert_close(compiled(video), net(video), rtol=1e-4, atol=1e-5)


@schemes
def test_bf16_autocast_stays_close(attention):
    net, video = network(attention), torch.randn(2, 3, 4, 32, 32)
    exact = net(video)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(video)
    assert (rough.float() - exact).norm() < 0.05 * exact.norm()


@schemes
def test_dropout_and_drop_path_act_in_training_only(attention):
    net, video = network(attention, dropout=0.2, drop_path=0.5), torch.randn(2, 3, 4, 32, 32)
    assert torch.equal(net(video), net(video))
    net.train()
    assert not torch.equal(net(video), net(video))


def test_drop_path_skips_an_update_for_a_whole_clip():
    net = network("divided", drop_path=0.9, depth=2).train()
    block, grid = net.blocks[1], net.config.grid(4, 32, 32)
    torch.manual_seed(0)
    x = torch.randn(1, grid.num_tokens, 32).expand(64, -1, -1)
    update = (block(x, grid) - x).flatten(1).abs().amax(1)
    skipped = (update == 0).float().mean()
    assert 0.5 < skipped < 0.9  # all three updates at once: 0.9^3 = 0.73


def test_a_fresh_divided_network_sees_each_frame_as_the_image_network_does():
    """temporal_fc starts at zero in every block, so on a still clip divided equals space-only with its weights."""
    torch.manual_seed(0)
    space = network("space", depth=3)
    divided = build_network(VideoTransformerConfig(**(SMALL | {"depth": 3}))).eval()
    state = divided.state_dict()
    for name, value in space.state_dict().items():
        state[name.replace("norms.0", "norms.1").replace("steps.0", "steps.1")] = value
    state["time.table"] = torch.zeros_like(state["time.table"])
    divided.load_state_dict(state)
    still = torch.randn(2, 3, 1, 32, 32).expand(-1, -1, 4, -1, -1)
    torch.testing.assert_close(divided(still), space(still), rtol=1e-5, atol=1e-5)


def test_fresh_tables_have_unit_scale():
    """Tables that start near zero never learn direction (the design's trap)."""
    net = build_network(VideoTransformerConfig(**SMALL))
    assert 0.6 < net.time.table.square().mean().sqrt() < 0.8
    assert 0.6 < net.position.table[:, 1:].square().mean().sqrt() < 0.8


def test_init_std_sets_the_scale_of_fresh_layers_and_leaves_zeros():
    block = build_network(VideoTransformerConfig(**(SMALL | {"embed_dim": 128, "init_std": 0.15}))).blocks[0]
    assert block.steps[1].attn.qkv.weight.std().item() == pytest.approx(0.15, rel=0.05)
    assert block.mlp.fc1.weight.std().item() == pytest.approx(0.15, rel=0.05)
    assert not block.steps[0].fc.weight.any()
