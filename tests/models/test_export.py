"""No number is taken from the batch axis: networks are exported once and run with other batches."""

import dataclasses

import pytest
import torch
from golden import PARTS, SCHEMES, SMALL

import vidattn
from vidattn.attention.scheme import parse_scheme

# Every scheme and every part once; an export takes seconds. Image blocks: tests/attention/image/test_contract.py
TOGETHER = [
    {"pooling": "attentive", "position": "token", "norm": "dyt", "activation": "gelu_tanh", "query_key": "norm"},
    {"attention": "joint", "pooling": "mean", "position": "sine", "qkv_bias": "query_value", "query_key": "rotary",
     "pixels": "motion"},
    {
        "attention": "space>time(2)", "pooling": "registers", "qkv_bias": "none", "query_key": "norm+rotary",
        "tubelet_size": 2,
    },
    {
        "attention": "space", "pooling": "class_token", "position": "none", "conditional_position": "peg",
        "image_size": (32, 48),
    },
    {"attention": "joint", "pooling": "attentive_probe", "position": "none", "query_key": "tiled_rotary"},
    {"attention": "joint", "pooling": "normed_mean", "position": "none", "query_key": "scaled_rotary"},
    {"attention": "pooled(1,2,2)", "conditional_position": "peg3d", "norm": "dyt", "depth": 2},
    {"attention": "local+global", "pooling": "mean"},
    {"attention": "split_heads+trajectory"},
    {"attention": "axial"},
    {"attention": "linear+space+temporal", "pooling": "mean"},
    {"attention": "time+window(2,3,3)", "pooling": "mean"},
    {"attention": "neighborhood(3,3,3)"},
]  # fmt: skip
CASES = {", ".join(map(str, parts.values())): parts for parts in TOGETHER}


def steps_of(scheme):
    """The classes of its steps, and whether a stage along time follows."""
    parsed = parse_scheme(scheme)
    return {turn for step in parsed.steps for turn in step.turns} | {bool(parsed.temporal_depth)}


def test_every_scheme_and_every_part_is_in_a_network():
    wanted = {(name, value) for part in PARTS for name, value in part.items() if name != "attention"}
    assert wanted <= {choice for parts in TOGETHER for choice in parts.items()}
    exported = set().union(*(steps_of(parts.get("attention", "divided")) for parts in TOGETHER))
    assert set().union(*map(steps_of, SCHEMES)) <= exported


@pytest.mark.parametrize("name", CASES)
def test_one_export_serves_every_batch(name):
    config = dataclasses.replace(SMALL, **{"depth": 1} | CASES[name])
    network = vidattn.build_network(config).eval()
    clip = torch.randn(2, 3, 4, *config.size)
    program = torch.export.export(network, (clip,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)).module()
    for batch in (1, 3):
        clips = torch.randn(batch, 3, 4, *config.size)
        torch.testing.assert_close(program(clips), network(clips), rtol=1e-4, atol=1e-4)
