"""No number is taken from the batch axis: networks are exported once and run with other batches."""

import dataclasses

import pytest
import torch
from golden import PARTS, SCHEMES, SMALL

import vidattn

CASES = {scheme: {"attention": scheme} for scheme in SCHEMES}  # image blocks: tests/attention/image/test_contract.py
CASES |= {
    str(part): part for part in PARTS if part.get("attention", "divided") in ("divided", "joint", "pooled(1,2,2)")
}
CASES |= {
    f"{name}={value}": {name: value, "attention": "joint", "position": "none"}
    for name, value in (("query_key", "tiled_rotary"), ("query_key", "scaled_rotary"), ("pooling", "attentive_probe"))
}


@pytest.mark.parametrize("name", CASES)
def test_one_export_serves_every_batch(name):
    config = dataclasses.replace(SMALL, depth=1, **({"pooling": "mean"} if "+" in name else {}) | CASES[name])
    network = vidattn.build_network(config).eval()
    clip = torch.randn(2, 3, 4, *config.size)
    program = torch.export.export(network, (clip,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)).module()
    for batch in (1, 3):
        clips = torch.randn(batch, 3, 4, *config.size)
        torch.testing.assert_close(program(clips), network(clips), rtol=1e-4, atol=1e-4)
