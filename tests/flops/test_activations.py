from dataclasses import replace

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from vidattn.flops import count
from vidattn.flops.activations import network_bytes
from vidattn.flops.weightless import network_on_meta
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network

SMALL = VideoTransformerConfig(
    num_classes=5, num_frames=4, image_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2
)


FUSED = (66, 80, 72)  # beyond 64 keys in time and in space, where attention is fused on a CPU too


def saved_on_cpu(config: VideoTransformerConfig, frames: int, height: int, width: int, batch: int) -> int:
    """Bytes that autograd saves of a real network, each address once, but not the weights."""
    network = build_network(config).train()
    weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    saved = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in weights:
            saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        logits = network(torch.zeros(batch, 3, frames, height, width))
    assert logits.grad_fn is not None
    return sum(storage.nbytes() for storage in saved.values())


@pytest.mark.parametrize("attention", ["joint", "space", "time", "divided", "space>time(1)"])
@pytest.mark.parametrize("batch", [1, 2])
def test_activation_memory_is_what_autograd_saves(attention, batch):
    config = replace(SMALL, attention=attention, depth=1)
    frames = 4 if attention == "joint" else FUSED[0]
    expected = saved_on_cpu(config, frames, *FUSED[1:], batch)
    assert count(config, frames, *FUSED[1:], batch=batch, check=False).activation_bytes == expected


@pytest.mark.parametrize("attention", ["divided", "space", "space>time(2)", "time+swin(3)"])
def test_blocks_and_ends_add_up_to_the_memory_of_the_network(attention):
    config = replace(SMALL, attention=attention, dropout=0.1, drop_path=0.1, pooling="attentive")
    whole = network_bytes(network_on_meta(config), 3, 48, 40, 2)
    assert count(config, 3, 48, 40, batch=2).activation_bytes == whole


@pytest.mark.parametrize(
    ("attention", "encoding"),
    [("divided", "peg"), ("joint", "peg3d"), ("space", "peg"), ("space>time(2)", "peg")],
)
def test_memory_holds_the_position_encoding_behind_the_first_block(attention, encoding):
    config = replace(SMALL, attention=attention, conditional_position=encoding)
    for batch in (1, 2):
        whole = network_bytes(network_on_meta(config), 3, 48, 40, batch)
        assert count(config, 3, 48, 40, batch, check=False).activation_bytes == whole


def test_gradient_checkpointing_keeps_the_inputs_of_blocks_and_the_inside_of_one():
    plain, saving = (count(replace(SMALL, depth=3, gradient_checkpointing=on)) for on in (False, True))
    inside = plain.blocks[0].activation_bytes - (4 * 16 + 1) * 32 * 4
    assert plain.activation_bytes - saving.activation_bytes == 2 * inside


def test_half_the_type_is_nearly_half_the_memory():
    full, half = (count(SMALL, dtype=dtype) for dtype in (torch.float32, torch.bfloat16))
    assert half.dtype == "bfloat16"
    assert 0.5 < half.activation_bytes / full.activation_bytes < 0.55  # the norms' statistics stay in fp32
