"""Pre-training by mask tokens, for schemes that need the map: equal to transformers' ViT, in every scheme."""

from dataclasses import replace

import pytest
import torch
from golden import SMALL, drawn
from torch.utils.flop_counter import FlopCounterMode

from vidattn.attention.scheme import IMAGE_STEPS
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.masks import FrameMask, RandomMask, TubeMask
from vidattn.training.simmim import SimMIM

SCHEMES = ["joint", "divided", "space", "axial", "window", "neighborhood", "local+global", "time+swin", "time+lka"]


def task(mask=None, **changes):
    torch.manual_seed(0)
    return SimMIM(replace(SMALL, **changes), mask or TubeMask(0.6))


def clips(number=2):
    return (drawn("clips", torch.Size((number, 3, 4, 32, 32))) * 60 + 128).clamp(0, 255).to(torch.uint8)


def painted(module, number=2):
    return module(clips(number), module.mask.keep(module.config.native_grid, list(range(number))))


def test_on_one_frame_it_is_transformers_vit_for_masked_images():
    transformers = pytest.importorskip("transformers")
    about = transformers.ViTConfig(
        image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        encoder_stride=8, layer_norm_eps=1e-6, attn_implementation="eager",
    )  # fmt: skip
    torch.manual_seed(0)
    theirs = transformers.ViTForMaskedImageModeling(about).eval()
    torch.nn.init.normal_(theirs.vit.embeddings.mask_token)
    config = VideoTransformerConfig(
        attention="joint", num_frames=1, image_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2, mlp_ratio=2.0,
        position="token", norm_eps=1e-6,
    )  # fmt: skip
    ours = SimMIM(config, TubeMask(0.6), normalization="half")
    _copy(theirs, ours)

    keep = ours.mask.keep(config.native_grid, [1])
    video = clips(1)[:, :, :1]
    found = ours(video, keep)

    hidden = torch.zeros(1, 16, dtype=torch.bool).scatter(1, keep.hidden(config.native_grid), True)
    pixels = theirs(ours.normalize(video)[:, :, 0], bool_masked_pos=hidden).reconstruction[0]  # (3, 32, 32)
    patches = pixels.unfold(1, 8, 8).unfold(2, 8, 8).permute(1, 2, 3, 4, 0).reshape(16, -1)
    torch.testing.assert_close(found.patches[0], patches[hidden[0]], atol=1e-5, rtol=1e-4)


def _copy(theirs, ours):
    """The weights of transformers' model into ours, by way of its folder's names."""
    state, vit = theirs.state_dict(), {}
    network = ours.network
    vit["prefix"] = state["vit.embeddings.cls_token"]
    vit["position.table"] = state["vit.embeddings.position_embeddings"]
    for end in ("weight", "bias"):
        vit[f"patch.{end}"] = state[f"vit.embeddings.patch_embeddings.projection.{end}"]
        vit[f"norm.{end}"] = state[f"vit.layernorm.{end}"]
    names = set(state)
    for index in range(2):
        there, here = next(
            (f"{base}.{index}", f"blocks.{index}")
            for base in ("vit.encoder.layer", "vit.layers")
            if any(name.startswith(f"{base}.{index}.") for name in names)
        )
        old = f"{there}.attention.attention.query.weight" in names
        inner = "attention.attention.{}" if old else "attention.{}"
        layers = {
            "norms.0": "layernorm_before", "mlp_norm": "layernorm_after",
            "steps.0.attn.proj": "attention.output.dense" if old else "attention.o_proj",
            "mlp.fc1": "intermediate.dense" if old else "mlp.fc1", "mlp.fc2": "output.dense" if old else "mlp.fc2",
        }  # fmt: skip
        for mine, other in layers.items():
            for end in ("weight", "bias"):
                vit[f"{here}.{mine}.{end}"] = state[f"{there}.{other}.{end}"]
        three = ("query", "key", "value") if old else ("q_proj", "k_proj", "v_proj")
        for end in ("weight", "bias"):
            vit[f"{here}.steps.0.attn.qkv.{end}"] = torch.cat(
                [state[f"{there}.{inner.format(name)}.{end}"] for name in three]
            )
    network.load_state_dict(
        {**network.state_dict(), **{k: v.view(network.state_dict()[k].shape) for k, v in vit.items()}}
    )
    # Their convolution makes channel c of pixel (y, x) by its row 64 c + 8 y + x; our rows are in the order y, x, c.
    weight, bias = state["decoder.0.weight"].flatten(1), state["decoder.0.bias"]
    order = torch.arange(192).view(3, 8, 8).permute(1, 2, 0).flatten()
    with torch.no_grad():
        ours.painter.weight.copy_(weight[order])
        ours.painter.bias.copy_(bias[order])
        ours.mask_token.copy_(state["vit.embeddings.mask_token"].flatten())


@pytest.mark.parametrize("pooling", ["class_token", "mean"])
@pytest.mark.parametrize("attention", SCHEMES)
def test_every_weight_that_is_trained_gets_a_gradient(attention, pooling):
    module = task(attention=attention, pooling=pooling)
    found = painted(module)
    module.error(found.patches, found.wanted).backward()
    assert [name for name, one in module.named_parameters() if one.requires_grad and one.grad is None] == []


@pytest.mark.parametrize(
    ("attention", "mask"),
    [(name, mask) for name in SCHEMES for mask in (TubeMask(0.6), RandomMask(0.6), FrameMask(0.5))]
    + [(f"time+{name}", RandomMask(0.6)) for name in IMAGE_STEPS],
)
def test_every_scheme_takes_every_mask_and_sees_nothing_of_what_is_hidden(attention, mask):
    module = task(mask, attention=attention, pooling="mean", depth=1).eval()
    keep = mask.keep(module.config.native_grid, [0])
    hidden = torch.zeros(64, dtype=torch.bool).index_fill_(0, keep.hidden(module.config.native_grid)[0], True)
    pixels = hidden.view(4, 4, 4).repeat_interleave(8, 1).repeat_interleave(8, 2)
    other = clips(1)
    other[0, :, pixels] = 255 - other[0, :, pixels]
    with torch.no_grad():
        first, second = module(clips(1), keep), module(other, keep)
    assert torch.equal(first.patches, second.patches)
    assert first.patches.shape == (1, int(hidden.sum()), 192)


@pytest.mark.parametrize("attention", ["joint", "divided", "window", "time+swin"])
def test_its_price_is_what_torch_counts(attention):
    keep = TubeMask(0.6).keep(SMALL.native_grid, [0])
    with torch.device("meta"):
        module = task(attention=attention).eval()
        with FlopCounterMode(display=False) as counter:
            module(torch.empty(1, 3, 4, 32, 32, dtype=torch.uint8), keep)
    assert counter.get_total_flops() == 2 * sum(part.total for part in module.macs(4, 32, 32))


def test_a_conditional_position_encoding_is_no_obstacle():
    found = painted(task(attention="divided", conditional_position="peg3d"))
    assert found.patches.isfinite().all()
