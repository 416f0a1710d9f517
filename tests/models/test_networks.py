import pytest
import torch
from small_networks import SIZES as SMALL, random_network
from torch.utils.flop_counter import FlopCounterMode

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
    net = random_network(attention)
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
def test_every_parameter_learns(attention):
    """By every read-out: tests/models/test_readout_table.py."""
    net = random_network(attention).train()
    net(torch.randn(2, 3, 4, 32, 32)).square().sum().backward()
    untouched = [name for name, p in net.named_parameters() if p.numel() and (p.grad is None or not p.grad.any())]
    assert untouched == []


@schemes
def test_compiles_in_one_graph_with_gradients(attention):
    net = random_network(attention, depth=1).train()
    video = torch.randn(1, 3, 4, 32, 32)
    torch._dynamo.reset()  # it compiles a function eight times at most, whoever asks
    # The way back is traced as well for one of them: a graph that autograd follows has the gradients of its network.
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager" if attention == "divided" else "eager")
    torch.testing.assert_close(compiled(video), net(video), rtol=1e-4, atol=1e-5)


@schemes
def test_bf16_autocast_stays_close(attention):
    net, video = random_network(attention), torch.randn(2, 3, 4, 32, 32)
    exact = net(video)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(video)
    assert (rough.float() - exact).norm() < 0.05 * exact.norm()
