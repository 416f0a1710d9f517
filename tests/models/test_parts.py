"""Facts about whole networks that hold for every part that a configuration may name."""

import pytest
import torch
from small_networks import SIZES as SMALL
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vidattn.attention.position_encoding import PositionalEncodingGenerator3D
from vidattn.flops.counting import count
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.positions import peg
from vidattn.models.presets import build_network

PARTS = [
    {"tubelet_size": 2, "pixels": "motion"},
    {"position": "token"},
    {"position": "sine", "pooling": "mean"},
    {"position": "none", "conditional_position": "peg"},
    {"norm": "dyt"},
    {"activation": "gelu_tanh"},
    {"qkv_bias": "query_value"},
    {"qkv_bias": "none"},
    {"query_key": "norm"},
    {"query_key": "rotary"},
    {"query_key": "tiled_rotary", "position": "none", "pooling": "normed_mean"},
    {"tubelet_size": 2, "pooling": "attentive_probe"},
    {"query_key": "scaled_rotary"},
    {"tubelet_size": 2, "position": "token", "norm": "dyt", "qkv_bias": "query_value", "query_key": "norm+rotary"},
]
BETWEEN_FRAMES = [{"conditional_position": "peg3d", "tubelet_size": 2}]
SCHEMES = ["divided", "joint", "space|time", "space", "space>time(2)"]
CASES = [("divided", changes) for changes in PARTS + BETWEEN_FRAMES]
CASES += [
    (scheme, changes) for scheme in SCHEMES[1:] for changes in (PARTS[2], PARTS[3], PARTS[10], PARTS[11], PARTS[-1])
]
cases = pytest.mark.parametrize(("attention", "changes"), CASES, ids=lambda value: str(value).replace(" ", ""))


def network(attention, changes, std=0.15):
    """A small network with every parameter random, in evaluation mode."""
    torch.manual_seed(0)
    net = build_network(VideoTransformerConfig(**(SMALL | {"attention": attention} | changes))).eval()
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=std)
    return net


@cases
def test_other_clips_work_and_cost_what_is_declared(attention, changes):
    net = network(attention, changes).to("meta")
    for shape in ((4, 32, 32), (8, 48, 24), (2, 16, 40)):
        with FlopCounterMode(display=False) as counter, torch.device("meta"):
            logits = net(torch.empty(2, 3, *shape))
        assert logits.shape == (2, 5)
        assert counter.get_total_flops() == 2 * net.macs(*shape).flops
    assert count(net).macs == net.macs(4, 32, 32).total


@cases
def test_a_gradient_reaches_every_parameter(attention, changes):
    net = network(attention, changes).train()
    net(torch.randn(2, 3, 4, 32, 32)).square().sum().backward()
    untouched = [name for name, p in net.named_parameters() if p.numel() and (p.grad is None or not p.grad.any())]
    assert untouched == []


@cases
def test_bf16_autocast_stays_close(attention, changes):
    net, video = network(attention, changes), torch.randn(2, 3, 4, 32, 32)
    exact = net(video)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(video)
    assert (rough.float() - exact).norm() < 0.06 * exact.norm()


@pytest.mark.parametrize("changes", [*PARTS, *BETWEEN_FRAMES], ids=lambda value: str(value).replace(" ", ""))
def test_a_fresh_network_learns(changes):
    """Two clips with two labels, by heart, in a few steps from the first weights."""
    torch.manual_seed(0)
    net = build_network(VideoTransformerConfig(**(SMALL | {"init_std": 0.2} | changes)))
    video, labels = torch.randn(2, 3, 4, 32, 32), torch.tensor([1, 3])
    optimizer = torch.optim.Adam(net.parameters(), lr=6e-3)
    losses = []
    for _ in range(25):
        loss = nn.functional.cross_entropy(net(video), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_compiles_in_one_graph():
    changes = PARTS[-1] | BETWEEN_FRAMES[0]
    net, video = network("divided", changes | {"depth": 1}).train(), torch.randn(1, 3, 4, 32, 32)
    torch._dynamo.reset()  # it compiles a function eight times at most, whoever asks
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(video), net(video), rtol=1e-4, atol=1e-5)


def test_gradient_checkpointing_changes_memory_only():
    video = torch.randn(2, 3, 4, 32, 32)
    changes = {"conditional_position": "peg3d", "query_key": "norm+rotary"}
    plain, saving = (network("divided", changes | {"gradient_checkpointing": on}).train() for on in (False, True))
    for net in (plain, saving):
        net(video).square().sum().backward()
    for (name, one), other in zip(plain.named_parameters(), saving.named_parameters(), strict=True):
        torch.testing.assert_close(one.grad, other[1].grad, msg=name)


@pytest.mark.parametrize("attention", SCHEMES)
def test_a_clip_that_tubelets_do_not_fill_is_refused(attention):
    net = network(attention, {"tubelet_size": 2})
    with pytest.raises(ValueError, match="input frames=5 is not a multiple of tubelet_size=2; nearest lengths are 4"):
        net(torch.zeros(1, 3, 5, 32, 32))


@pytest.mark.parametrize(("changes", "more"), [("query_value", -64), ("none", -192)])
def test_biases_that_are_left_out_are_no_parameters(changes, more):
    """Two blocks of two steps, 32 wide."""
    counts = [sum(p.numel() for p in network("divided", {"qkv_bias": bias}).parameters()) for bias in ("all", changes)]
    assert counts[1] - counts[0] == 2 * more


def test_conditional_positions_have_the_papers_parameters_and_cost():
    """10 D and 9 M D in two axes, 28 D and 27 M D in three."""
    grid = Grid(8, 14, 14)
    for encoding, parameters, macs in ((peg(768), 10, 9), (PositionalEncodingGenerator3D(768), 28, 27)):
        assert sum(p.numel() for p in encoding.parameters()) == parameters * 768
        assert encoding.macs(grid) == Macs(convolution=macs * 8 * 14 * 14 * 768)


def test_peg3d_is_a_loop_over_neighbours():
    grid = Grid(3, 2, 4, prefix=2)
    encoding = PositionalEncodingGenerator3D(6)
    x = torch.randn(1, grid.num_tokens, 6)
    video = grid.split(x)[1][0]
    expected = encoding.conv.bias.expand(3, 2, 4, 6).clone()
    for t, h, w in torch.cartesian_prod(*(torch.arange(3),) * 3).tolist():
        weight = encoding.conv.weight[:, 0, t, h, w]
        for a in range(max(0, 1 - t), min(3, 4 - t)):
            for b in range(max(0, 1 - h), min(2, 3 - h)):
                for c in range(max(0, 1 - w), min(4, 5 - w)):
                    expected[a, b, c] += weight * video[a + t - 1, b + h - 1, c + w - 1]
    prefix, update = grid.split(encoding(x, grid))
    assert not prefix.any()
    torch.testing.assert_close(update[0], expected)


def test_the_conditional_position_follows_the_first_block():
    net = network("joint", {"conditional_position": "peg3d"})
    video = torch.randn(1, 3, 4, 32, 32)
    tokens, grid = net.embed(net.patch(video), net.config.grid(4, 32, 32))
    tokens = net.blocks[0](tokens, grid)
    tokens = net.blocks[1](tokens + net.conditional[0](tokens, grid), grid)
    torch.testing.assert_close(net(video), net.head(net.norm(tokens[:, 0])))


@pytest.mark.parametrize("changes", [{"query_key": "rotary"}, {"conditional_position": "peg3d"}])
def test_without_a_table_positions_still_tell_the_order_of_frames(changes):
    def change(changes):
        net, video = network("joint", {"position": "none"} | changes, std=0.3).double(), torch.randn(1, 3, 4, 32, 32)
        video = video.double()
        return (net(video) - net(video.flip(2))).abs().max()

    assert change({}) < 1e-12
    assert change(changes) > 1e-3


def test_gelu_tanh_is_pytorchs():
    net = network("joint", {"activation": "gelu_tanh"})
    mlp, x = net.blocks[0].mlp, torch.randn(2, 3, 32)
    expected = nn.Sequential(mlp.fc1, nn.GELU(approximate="tanh"), mlp.fc2)(x)
    torch.testing.assert_close(mlp(x), expected)
    with torch.no_grad():
        torch.testing.assert_close(mlp(x), expected)
