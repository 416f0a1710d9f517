import pytest
import torch
from small_networks import SMALL, logits, random_network
from torch import nn

from vidattn import lean
from vidattn.attention.scheme import ALIASES, IMAGE_STEPS, STEPS
from vidattn.flops.measuring import measure
from vidattn.models.lean import Lean
from vidattn.models.presets import build_network, preset
from vidattn.models.readout_table import READOUTS

SCHEMES = [*(set(STEPS) - set(IMAGE_STEPS)), *ALIASES, "space+time", "time+space+time", "time+cbam", "space>time(2)"]
READ = sorted(READOUTS)


def alike(network):
    """Answers of the lean form, which agree with the network's own."""
    wanted, found = logits(network), logits(lean(network))
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    return found


@pytest.mark.parametrize("attention", sorted(SCHEMES))
def test_the_lean_form_of_every_scheme_gives_the_same_answers_for_what_it_declares(attention):
    for pooling in ("class_token", "mean"):
        try:
            network = random_network(attention, pooling=pooling)
        except ValueError:  # the scheme has no prefix token
            continue
        alike(network)
        form = lean(network)
        assert measure(form, torch.empty(1, 3, 4, 32, 32)).macs == form.macs(4, 32, 32).total
        assert form.macs(4, 32, 32).total <= network.macs(4, 32, 32).total


@pytest.mark.parametrize("pooling", READ)
@pytest.mark.parametrize("attention", ["divided", "joint", "space"])
def test_the_lean_form_of_every_read_out_gives_the_same_answers(attention, pooling):
    alike(random_network(attention, pooling=pooling))


@pytest.mark.parametrize(
    "changes",
    [
        {"qkv_bias": "query_value"},
        {"qkv_bias": "none"},
        {"norm": "dyt"},
        {"depth": 1},
        {"depth": 1, "conditional_position": "peg"},
        {"num_heads": 1},
    ],
    ids=str,
)
def test_the_lean_form_of_other_parts_gives_the_same_answers(changes):
    for attention in ("divided", "joint"):
        alike(random_network(attention, **changes))


def test_what_is_left_out_of_divided_attention_is_one_product_a_block_and_most_of_the_last():
    with torch.device("meta"):
        network = build_network(preset("B", attention="divided"))
    tokens, dim = 8 * 196, 768
    spared = network.macs(8, 224, 224).total - lean(network).macs(8, 224, 224).total

    folded = 12 * tokens * dim**2
    mlp = 8 * tokens * dim**2  # of all tokens but the one that is read
    assert folded + mlp < spared < folded + mlp + (4 * (tokens + 8) * dim**2 + 2 * 8 * 197**2 * dim)
    assert 0.115 < spared / network.macs(8, 224, 224).total < 0.125


def test_clips_of_other_lengths_and_sizes_go_through():
    network = random_network("divided")
    torch.testing.assert_close(logits(lean(network), 6, 40), logits(network, 6, 40), atol=1e-5, rtol=1e-5)


def test_the_network_stays_as_it_is_and_shares_its_weights():
    network = random_network("divided").train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    form = lean(network)

    assert network.training
    assert not form.training
    assert list(network.state_dict()) == list(before)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    shared = {id(parameter) for parameter in network.parameters()}
    own = {name for name, parameter in form.named_parameters() if id(parameter) not in shared}
    assert own == {
        f"network.blocks.{block}.steps.0.attn.proj.{kind}"
        for block in range(SMALL.depth)
        for kind in ("weight", "bias")
    }


def test_gradients_of_what_a_cut_block_reads_are_those_of_the_whole():
    network = random_network("joint").double()
    video = torch.randn(2, 3, 4, 32, 32, dtype=torch.float64)
    names, parameters = zip(*((n, p) for n, p in network.named_parameters() if p.requires_grad), strict=True)

    whole = torch.autograd.grad(network(video).square().sum(), parameters)
    cut = torch.autograd.grad(Lean(network)(video).square().sum(), parameters)

    for name, one, other in zip(names, whole, cut, strict=True):
        torch.testing.assert_close(one, other, msg=name)


def test_a_network_that_is_not_of_ours_comes_back():
    module = nn.Linear(2, 2)
    assert lean(module) is module
