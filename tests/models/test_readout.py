import pytest
import torch
from torch import nn

from vidattn.models.readout import AttentivePooling, ClassToken, MeanPooling, RegisterTokens

DIM, HEADS = 24, 3


def attentive() -> AttentivePooling:
    torch.manual_seed(0)
    readout = AttentivePooling(DIM, HEADS).double()
    for parameter in readout.parameters():
        nn.init.normal_(parameter, std=0.4)
    return readout


def test_attentive_pooling_is_torchs_cross_attention_of_one_query_and_an_mlp():
    readout = attentive()
    cross = nn.MultiheadAttention(DIM, HEADS, batch_first=True, dtype=torch.float64)
    cross.in_proj_weight.data = torch.cat((torch.eye(DIM, dtype=torch.float64), readout.kv.weight.data))
    cross.in_proj_bias.data = torch.cat((torch.zeros(DIM, dtype=torch.float64), readout.kv.bias.data))
    cross.out_proj.weight.data, cross.out_proj.bias.data = torch.eye(DIM).double(), torch.zeros(DIM).double()
    x = torch.randn(2, 7, DIM, dtype=torch.float64, requires_grad=True)

    tokens = nn.functional.layer_norm(x, (DIM,), readout.norm.weight, readout.norm.bias, 1e-6)
    query = readout.query.detach().expand(2, 1, DIM).clone().requires_grad_()
    pooled = (query + cross(query, tokens, tokens)[0])[:, 0]
    mlp = nn.Sequential(readout.mlp_norm, readout.mlp.fc1, nn.GELU(), readout.mlp.fc2)
    expected = pooled + mlp(pooled)

    torch.testing.assert_close(readout(x), expected)
    direction = torch.randn_like(expected)
    ours = torch.autograd.grad((readout(x) * direction).sum(), (x, readout.query))
    theirs = torch.autograd.grad((expected * direction).sum(), (x, query))
    torch.testing.assert_close(ours, (theirs[0], theirs[1].sum(0, keepdim=True)))


def test_attentive_pooling_does_not_know_where_a_token_lies():
    readout = attentive()
    x = torch.randn(1, 9, DIM, dtype=torch.float64)
    torch.testing.assert_close(readout(x), readout(x[:, torch.randperm(9)]))


def test_a_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="dim=50 is not a multiple of num_heads=4"):
        AttentivePooling(50, 4)


def test_registers_are_four_more_prefix_tokens_that_are_not_read():
    x = torch.randn(2, 5 + 6, DIM)
    assert RegisterTokens.num_prefix == ClassToken.num_prefix + 4
    torch.testing.assert_close(RegisterTokens()(x), ClassToken()(x))


def test_mean_pooling_is_the_mean():
    x = torch.randn(2, 6, DIM)
    torch.testing.assert_close(MeanPooling()(x), sum(x.unbind(1)) / 6)
