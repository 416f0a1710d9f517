"""Pre-training by a masked autoencoder: equal to transformers' VideoMAE, exact in price, in every scheme that can."""

import math
from dataclasses import replace

import pytest
import torch
from golden import SMALL, drawn
from torch.utils.flop_counter import FlopCounterMode

from vidattn.models.config import VideoTransformerConfig
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.masks import FrameMask, RandomMask, TubeMask
from vidattn.models.pixel_decoder import Decoder
from vidattn.models.presets import preset
from vidattn.training.masked_autoencoder import MaskedAutoencoder
from vidattn.training.simmim import SimMIM

COLUMNS = ["joint", "divided", "space", "space+temporal", "space|time", "trajectory", "linear"]
SHALLOW = Decoder(24, 1, 2, 2.0)


def task(mask=None, normalize_patches=True, **changes):
    torch.manual_seed(0)
    return MaskedAutoencoder(
        replace(SMALL, **changes), mask or TubeMask(0.75), SHALLOW, normalize_patches=normalize_patches
    )


def clips(number=2):
    return (drawn("clips", torch.Size((number, 3, 4, 32, 32))) * 60 + 128).clamp(0, 255).to(torch.uint8)


def painted(module, number=2):
    keep = module.mask.keep(module.config.native_grid, list(range(number)))
    return module(clips(number), keep)


def declared(mask, **changes):
    """Multiply-accumulates of painting a clip, as the task says them."""
    return sum(part.total for part in task(mask, **changes).macs(4, 32, 32))


def measured(mask, **changes):
    """The same as torch counts them, on the meta device, where it counts fused attention too."""
    keep = mask.keep(SMALL.native_grid, [0])
    with torch.device("meta"):
        module = task(mask, **changes).eval()
        with FlopCounterMode(display=False) as counter:
            module(torch.empty(1, 3, 4, 32, 32, dtype=torch.uint8), keep)
    return counter.get_total_flops() / 2


@pytest.fixture(scope="module")
def videomae(tmp_path_factory):
    """A folder of `VideoMAEForPreTraining` with random weights, the model, and the configuration that fits it."""
    transformers = pytest.importorskip("transformers")
    about = transformers.VideoMAEConfig(
        image_size=32, patch_size=8, num_frames=4, tubelet_size=2, hidden_size=48, num_hidden_layers=3,
        num_attention_heads=3, intermediate_size=96, decoder_hidden_size=24, decoder_num_hidden_layers=2,
        decoder_num_attention_heads=2, decoder_intermediate_size=48, use_mean_pooling=False,
        attn_implementation="eager",
    )  # fmt: skip
    torch.manual_seed(1)
    theirs = transformers.VideoMAEForPreTraining(about)
    for name, parameter in theirs.named_parameters():
        torch.nn.init.normal_(parameter, float("norm" in name and name.endswith("weight")), 0.2)
    folder = tmp_path_factory.mktemp("videomae")
    theirs.save_pretrained(folder)
    config = VideoTransformerConfig(
        attention="joint", num_classes=5, num_frames=4, image_size=32, patch_size=8, tubelet_size=2, position="sine",
        pooling="mean", embed_dim=48, depth=3, num_heads=3, mlp_ratio=2.0, norm_eps=about.layer_norm_eps,
        qkv_bias="query_value",
    )  # fmt: skip
    return folder, theirs, config


@pytest.mark.parametrize("mask", [TubeMask(0.75), RandomMask(0.9), FrameMask(0.5)])
@pytest.mark.parametrize("normalize_patches", [True, False])
def test_loss_painting_and_gradients_are_those_of_transformers(videomae, mask, normalize_patches):
    folder, theirs, config = videomae
    theirs.config.norm_pix_loss = normalize_patches
    ours = MaskedAutoencoder(
        config, mask, Decoder(24, 2, 2, 2.0), weights=str(folder), normalize_patches=normalize_patches
    )
    keep = mask.keep(config.native_grid, [1, 2])
    found = ours(clips(), keep)
    loss = ours.error(found.patches, found.wanted)
    loss.backward()

    hidden = torch.zeros(2, 32, dtype=torch.bool).scatter(1, keep.hidden(config.native_grid), True)
    theirs.zero_grad()
    wanted = theirs(ours.normalize(clips()).transpose(1, 2), bool_masked_pos=hidden)
    wanted.loss.backward()

    torch.testing.assert_close(loss, wanted.loss, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.patches, wanted.logits, atol=1e-5, rtol=1e-5)
    encoder, decoder = theirs.videomae.encoder.layer[0], theirs.decoder.decoder_layers[1]
    for mine, other in [
        (ours.network.patch.weight, theirs.videomae.embeddings.patch_embeddings.projection.weight),
        (ours.network.blocks[0].mlp.fc1.weight, encoder.intermediate.dense.weight),
        (ours.network.blocks[0].steps[0].attn.proj.weight, encoder.attention.output.dense.weight),
        (ours.network.norm.weight, theirs.videomae.layernorm.weight),
        (ours.decoder.enter.weight, theirs.encoder_to_decoder.weight),
        (ours.decoder.mask_token, theirs.mask_token),
        (ours.decoder.blocks[1].mlp.fc2.weight, decoder.output.dense.weight),
        (ours.decoder.head.bias, theirs.decoder.head.bias),
    ]:
        assert other.grad.abs().max() > 1e-4
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-5, rtol=1e-4)


def test_the_old_key_layout_of_videomae_is_read_with_its_decoder(videomae, tmp_path):
    from safetensors.torch import load_file, save_file

    folder, _, config = videomae
    new = load_file(folder / "model.safetensors")
    old = {
        name.replace("query.bias", "q_bias").replace("value.bias", "v_bias"): value
        for name, value in new.items()
        if not name.endswith("key.bias")
    }
    assert any(name.startswith("decoder") and name.endswith("q_bias") for name in old)
    save_file(old, tmp_path / "model.safetensors", {"format": "pt"})
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())

    first, second = (
        MaskedAutoencoder(config, TubeMask(0.75), Decoder(24, 2, 2, 2.0), weights=str(source)).state_dict()
        for source in (folder, tmp_path)
    )
    for name, value in first.items():
        if not name.startswith("network.head"):
            assert torch.equal(value, second[name]), name


def test_another_decoder_starts_fresh_and_that_is_said(videomae, caplog):
    folder, _, config = videomae
    with caplog.at_level("INFO"):
        MaskedAutoencoder(config, TubeMask(0.75), Decoder(32, 2, 2, 2.0), weights=str(folder))
    assert "what paints hidden patches starts fresh: the weights hold another (decoder.mask_token is (1, 1, 24)" in (
        caplog.text
    )


@pytest.mark.parametrize("pooling", ["class_token", "registers", "mean", "attentive"])
@pytest.mark.parametrize("attention", COLUMNS)
def test_every_weight_that_is_trained_gets_a_gradient(attention, pooling):
    module = task(attention=attention, pooling=pooling)
    found = painted(module)
    module.error(found.patches, found.wanted).backward()
    assert [name for name, one in module.named_parameters() if one.requires_grad and one.grad is None] == []
    assert not any(one.requires_grad for one in module.network.head.parameters())


@pytest.mark.parametrize("pooling", ["class_token", "mean"])
@pytest.mark.parametrize("attention", COLUMNS)
def test_its_price_is_what_torch_counts(attention, pooling):
    assert measured(TubeMask(0.75), attention=attention, pooling=pooling) == declared(
        TubeMask(0.75), attention=attention, pooling=pooling
    )


@pytest.mark.parametrize("mask", [RandomMask(0.75), FrameMask(0.5)])
@pytest.mark.parametrize("attention", ["joint", "linear"])
def test_other_masks_are_priced_as_torch_counts_them(attention, mask):
    assert measured(mask, attention=attention) == declared(mask, attention=attention)


def test_at_nine_tenths_the_encoder_costs_less_than_a_tenth():
    config = preset("videomae-b")
    with torch.device("meta"):
        network = config.build()
    keep = TubeMask(0.9).keep(config.native_grid, [0])
    clip = (config.num_frames, *config.size)
    assert network.features_macs(*clip, keep).total * 10 < network.features_macs(*clip).total


def test_the_network_does_not_see_what_is_hidden():
    module = task()
    keep = module.mask.keep(module.config.native_grid, [0])
    other = clips(1)
    hidden = torch.zeros(64, dtype=torch.bool).index_fill_(0, keep.hidden(module.config.native_grid)[0], True)
    pixels = hidden.view(4, 4, 4).repeat_interleave(8, 1).repeat_interleave(8, 2)
    other[0, :, pixels] = 255 - other[0, :, pixels]

    first, second = module(clips(1), keep), module(other, keep)

    assert torch.equal(first.patches, second.patches)
    assert not torch.equal(first.wanted, second.wanted)


def test_painting_the_mean_of_normalised_patches_costs_almost_one():
    found = painted(task())
    assert math.isclose(found.wanted.square().mean().item(), 63 / 64, abs_tol=1e-3)  # the deviation is unbiased
    assert painted(task(normalize_patches=False)).wanted.min() >= 0


@pytest.mark.parametrize("attention", ["window", "neighborhood", "axial", "swin", "time+map"])
def test_schemes_that_need_the_map_are_refused_with_the_way_out(attention):
    with pytest.raises(ValueError, match=r"cannot leave places out: .*vidattn\.SimMIM hides places behind a token"):
        task(attention=attention)


@pytest.mark.parametrize("attention", ["divided", "space"])
@pytest.mark.parametrize("mask", [RandomMask(0.75), FrameMask(0.5)])
def test_masks_that_a_scheme_cannot_take_are_refused_with_the_way_out(attention, mask):
    with pytest.raises(ValueError, match="the same places must be kept in all frames"):
        task(mask, attention=attention)


def test_a_network_that_makes_a_vector_of_each_frame_is_refused():
    with pytest.raises(ValueError, match="hidden patches have no token to be painted from"):
        task(attention="space>time(2)")


def test_a_network_of_several_stages_is_refused_without_the_hint_to_another_task_that_refuses_it_too():
    stages = HierarchicalConfig(
        "window(2)", num_frames=4, image_size=32, widths=(16, 32), depths=(1, 1), num_heads=(2, 2)
    )
    for kind in (MaskedAutoencoder, SimMIM):
        with pytest.raises(ValueError, match=r"hidden patches have no token to be painted from.*space$"):
            kind(stages, TubeMask(0.5))
