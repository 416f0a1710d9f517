"""Image transformers become video networks: on a clip that stands still, with the image model's features."""

import json

import pytest
import torch
from safetensors.torch import save_file
from small_networks import logits

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.renaming import WeightsError

timm = pytest.importorskip("timm", reason="timm is a test dependency")
transformers = pytest.importorskip("transformers", reason="transformers is a test dependency")

MEAN, STD = [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]


def randomised(model):
    """Every parameter random, norms about one."""
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=float("norm" in name and "weight" in name), std=0.15)
    return model.eval()


@pytest.fixture(scope="module")
def from_timm(tmp_path_factory):
    model = randomised(
        timm.models.VisionTransformer(32, 8, embed_dim=32, depth=3, num_heads=4, mlp_ratio=1.5, num_classes=5)
    )
    folder = tmp_path_factory.mktemp("timm")
    save_file(model.state_dict(), folder / "model.safetensors")
    about = {
        "architecture": "vit_tiny_indeed",
        "num_classes": 5,
        "global_pool": "token",
        "model_args": {"num_heads": 4},
        "label_names": ["a", "b", "c", "d", "e"],
        "pretrained_cfg": {"mean": MEAN, "std": STD, "input_size": [3, 32, 32], "crop_pct": 0.9},
    }
    (folder / "config.json").write_text(json.dumps(about))
    return folder, model


@pytest.fixture(scope="module")
def from_huggingface(tmp_path_factory):
    config = transformers.ViTConfig(
        image_size=32,
        patch_size=8,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=48,
        id2label=dict(enumerate("abcde")),
    )
    model = randomised(transformers.ViTForImageClassification(config))
    folder = tmp_path_factory.mktemp("hf")
    model.save_pretrained(folder)
    return folder, lambda image: model(image).logits


@pytest.fixture(params=["timm", "huggingface"])
def image_model(request):
    return request.getfixturevalue(f"from_{request.param}")


def still(frames):
    torch.manual_seed(1)
    image = torch.randn(2, 3, 32, 32)
    return image, image[:, :, None].expand(-1, -1, frames, -1, -1)


@pytest.mark.parametrize("attention", ["divided", "space", "space+temporal", "time+space+swin(2)+peg"])
def test_on_a_still_clip_the_logits_are_the_image_models(image_model, attention):
    folder, model = image_model
    image, clip = still(4)

    ours = load(folder, attention=attention, num_frames=4)

    with torch.no_grad():
        assert (ours.network(clip) - model(image)).abs().max() < 5e-6
        assert model(image).abs().max() > 0.3
    assert ours.class_names == ["a", "b", "c", "d", "e"]
    exact = any("computes at first what it did on clips that stand still" in line for line in ours.report)
    assert exact == (attention != "space")


def test_joint_attention_on_a_still_clip_is_the_image_model_with_every_patch_repeated(from_timm):
    """Close to the image model only: its class token is one key among T times as many."""
    folder, model = from_timm
    image, clip = still(4)

    ours = load(folder, attention="joint", num_frames=4)

    with torch.no_grad():
        tokens = model._pos_embed(model.patch_embed(image))
        repeated = model.blocks(torch.cat((tokens[:, :1], tokens[:, 1:].repeat(1, 4, 1)), dim=1))
        torch.testing.assert_close(ours.network(clip), model.head(model.norm(repeated)[:, 0]), atol=5e-6, rtol=1e-5)
        assert 1e-4 < (ours.network(clip) - model(image)).abs().max() < 0.1
    assert "attention: space -> joint, computes something else at first: train it further" in ours.report


@pytest.mark.parametrize("inflation", ["central", "average"])
@pytest.mark.parametrize("tubelet_size", [2, 3])
def test_tubelets_see_the_image_in_a_still_clip(image_model, inflation, tubelet_size):
    folder, model = image_model
    image, clip = still(6)

    ours = load(folder, num_frames=6, tubelet_size=tubelet_size, inflation=inflation)

    with torch.no_grad():
        torch.testing.assert_close(ours.network(clip), model(image), atol=5e-6, rtol=1e-5)
    assert f"patch: tubelets of 1 frame -> {tubelet_size} ({inflation})" in ours.report
    empty = ours.network.patch.weight.flatten(3).abs().sum((0, 1, 3)) == 0
    assert empty.sum() == (tubelet_size - 1 if inflation == "central" else 0)


def test_time_attention_starts_as_a_copy_of_the_image_models(image_model):
    """TimeSformer's rule: attention and norm of every block are copied, what follows is zero, and so are the times."""
    network = load(image_model[0]).network

    for block in network.blocks:
        time, space = block.steps
        assert torch.equal(time.attn.qkv.weight, space.attn.qkv.weight)
        assert torch.equal(time.attn.proj.bias, space.attn.proj.bias)
        assert torch.equal(block.norms[0].weight, block.norms[1].weight)
        assert not time.fc.weight.any()
        assert not time.fc.bias.any()
    assert not network.time.table.any()


def test_a_folder_of_timms_tells_pixels_names_and_heads(from_timm):
    model = load(from_timm[0])

    assert model.preprocessing.pixels == (tuple(MEAN), tuple(STD))
    assert (model.preprocessing.image_size, model.preprocessing.short_side) == (32, 35)
    assert model.config.num_heads == 4
    assert not any("assumed" in line for line in model.report)


@pytest.mark.parametrize("around", [None, "model", "state_dict"])
def test_a_file_alone_says_what_was_assumed(tmp_path, from_timm, around):
    _, model = from_timm
    state = model.state_dict()
    torch.save(state if around is None else {around: state, "epoch": 3}, tmp_path / "vit.pth")
    image, clip = still(4)

    ours = load(tmp_path / "vit.pth", num_heads=4, num_frames=4)

    with torch.no_grad():
        torch.testing.assert_close(ours.network(clip), model(image), atol=5e-6, rtol=1e-5)
    assert "num_heads: assumed 1, as published for width 32; the file does not say" in ours.report
    assert "pooling: assumed class_token; the file does not say" in ours.report
    assert any(line.startswith("mean and std: assumed [0.5, 0.5, 0.5]") for line in ours.report)


@pytest.mark.parametrize("around", [None, "state_dict"])
def test_the_names_that_data_parallel_training_gives_are_read(tmp_path, from_timm, around):
    _, model = from_timm
    state = {f"module.{name}": value for name, value in model.state_dict().items()}  # as DataParallel writes them
    torch.save(state if around is None else {around: state, "epoch": 3}, tmp_path / "vit.pth")

    ours = load(tmp_path / "vit.pth", num_heads=4)

    assert torch.equal(ours.network.head.weight, model.head.weight)


def test_a_vit_without_its_head_is_taken_and_its_pooler_left_out(tmp_path):
    config = transformers.ViTConfig(
        image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=48
    )
    transformers.ViTModel(config).save_pretrained(tmp_path)

    model = load(tmp_path, num_classes=3)

    assert "head: reset, none -> 3" in model.report
    assert "the pooler, which no classifier uses: left out, 2 tensors" in model.report


@pytest.mark.parametrize(
    ("parts", "pooling"),
    [
        ({"init_values": 1.0}, "class_token"),
        ({"no_embed_class": True, "init_values": 1.0}, "class_token"),
        ({"reg_tokens": 4}, "registers"),
        ({"reg_tokens": 4, "no_embed_class": True}, "registers"),
        ({"class_token": False, "global_pool": "avg"}, "mean"),
    ],
)
@pytest.mark.parametrize("attention", ["divided", "space"])
def test_a_vit_of_timms_with_other_parts_gives_its_logits_on_a_still_clip(tmp_path, parts, pooling, attention):
    """LayerScale, registers, class tokens without a position, the mean over patches."""
    model = timm.models.VisionTransformer(32, 8, embed_dim=32, depth=2, num_heads=4, num_classes=5, **parts)
    torch.save(randomised(model).state_dict(), tmp_path / "vit.pth")
    image, clip = still(4)

    ours = load(tmp_path / "vit.pth", num_heads=4, num_frames=4, attention=attention)

    with torch.no_grad():
        torch.testing.assert_close(ours.network(clip), model(image), atol=5e-6, rtol=1e-5)
    assert ours.config.pooling == pooling
    assert (f"pooling: assumed {pooling}; the file does not say" in ours.report) == (pooling != "mean")
    scaled = "LayerScale: 4 scales became part of the layers that they scale" in ours.report
    assert scaled == ("init_values" in parts)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"qk_norm": True}, r"left over: blocks\.0\.attn\.q_norm\.weight"),
        ({"reg_tokens": 2}, "3 prefix tokens; vidattn has a class token, alone or with four registers"),
        ({"global_pool": "avg"}, "a ViT that averages patches beside a class token"),
        ({"class_token": False, "global_pool": "avg", "fc_norm": False}, "averages its patches after the last norm"),
    ],
)
def test_a_vit_of_timms_with_parts_that_we_do_not_have_is_refused_by_their_names(tmp_path, parts, message):
    model = timm.models.VisionTransformer(32, 8, embed_dim=32, depth=1, num_heads=4, num_classes=5, **parts)
    torch.save(model.state_dict(), tmp_path / "other.pth")

    with pytest.raises(WeightsError, match=message):
        load(tmp_path / "other.pth")


@pytest.mark.parametrize(
    "attention", ["time+width+height", "space>time(2)", "window(2,2,2)", "space|time", "trajectory"]
)
def test_every_scheme_can_start_from_an_image_model(from_timm, attention):
    model = load(from_timm[0], attention=attention, num_frames=4)

    assert any("computes something else at first" in line for line in model.report)
    inherited = "blocks.0.mlp.fc1.weight" if ">" not in attention else "spatial.blocks.0.mlp.fc1.weight"
    assert torch.equal(model.network.state_dict()[inherited], from_timm[1].blocks[0].mlp.fc1.weight)
    assert logits(model.network).isfinite().all()
