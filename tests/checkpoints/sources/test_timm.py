import pytest
import torch
from foreign_folders import timm_folder

from vidattn.checkpoints.foreign import Foreign
from vidattn.checkpoints.loading import load
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.sources import timm as timm_source


def test_a_timm_file_alone_says_that_its_square_was_assumed(tmp_path):
    timm = pytest.importorskip("timm", reason="timm is a test dependency")
    wide = timm.models.VisionTransformer((16, 64), 8, embed_dim=64, depth=1, num_heads=1, num_classes=5).eval()
    torch.save(wide.state_dict(), tmp_path / "vit.pth")
    picture = torch.randn(2, 3, 16, 64)

    assert "image_size: assumed square, 32x32; the file does not say" in load(tmp_path / "vit.pth").report
    ours = load(tmp_path / "vit.pth", image_size=(16, 64), attention="space")
    with torch.no_grad():
        torch.testing.assert_close(ours.network(picture[:, :, None]), wide(picture), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("registers", [0, 4])
def test_dinov2s_own_file_is_read(tmp_path, registers):
    """Its names for what timm calls otherwise, written here from timm's model; the mask token is left out."""
    timm = pytest.importorskip("timm", reason="timm is a test dependency")
    model = timm.models.VisionTransformer(
        32,
        8,
        embed_dim=64,
        depth=2,
        num_heads=1,
        num_classes=0,
        init_values=1.0,
        reg_tokens=registers,
        no_embed_class=bool(registers),
    ).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    state = dict(model.state_dict())
    if registers:  # theirs: a position for the class token, none for registers
        state["register_tokens"] = state.pop("reg_token")
        position = torch.randn(1, 1, 64)
        state["pos_embed"] = torch.cat((position, state["pos_embed"]), dim=1)
        state["cls_token"] = state["cls_token"] - position
    state["mask_token"] = torch.zeros(1, 64)
    torch.save(state, tmp_path / "dinov2.pth")
    picture = torch.randn(2, 3, 32, 32)

    ours = load(tmp_path / "dinov2.pth", attention="space")

    assert "the token for hidden patches: left out, 1 tensors" in ours.report
    with torch.no_grad():
        wanted = model.forward_features(picture)[:, 0]
        ours.network.head = torch.nn.Identity()
        torch.testing.assert_close(ours.network(picture[:, :, None]), wanted, atol=1e-5, rtol=1e-5)


timm = pytest.importorskip("timm", reason="timm is a test dependency")


ARGUMENTS = [
    {"act_layer": "gelu_tanh"},
    {"act_layer": "relu"},
    {"act_layer": "silu"},
    {"act_layer": "quick_gelu"},
    {"norm_layer": "rmsnorm"},
    {"norm_layer": "layernormfp32"},
    {"qkv_bias": False},
    {"qk_norm": True},
    {"proj_bias": False},
    {"init_values": 0.1},
    {"reg_tokens": 4},
    {"reg_tokens": 4, "no_embed_class": True},
    {"no_embed_class": True},
    {"pre_norm": True},
    {"final_norm": False},
    {"pos_embed": "none"},
    {"class_token": False, "global_pool": "avg"},
    {"class_token": False, "global_pool": "max"},
    {"class_token": False, "global_pool": "avgmax"},
    {"class_token": False, "global_pool": "avg", "fc_norm": False},
    {"class_token": False, "global_pool": "map"},
    {"global_pool": "avg"},
    {"global_pool": "max"},
    {"global_pool": "prr"},
    {"global_pool": ""},
    {"img_size": [16, 64]},
    {"img_size": [16, 64], "no_embed_class": True},
    {"img_size": [24, 24], "reg_tokens": 4},
    {"img_size": [24, 24], "reg_tokens": 4, "no_embed_class": True},
    {"dynamic_img_size": True},
    {"scale_attn_norm": True},
    {"scale_mlp_norm": True},
    {"in_chans": 1},
    {"drop_rate": 0.5, "proj_drop_rate": 0.2, "attn_drop_rate": 0.2, "drop_path_rate": 0.2, "patch_drop_rate": 0.2},
    {"mlp_ratio": 2.0},
    {"num_heads": 2},
    {"reg_tokens": 4, "pool_include_prefix": True, "class_token": False, "global_pool": "avg"},
]


READ = [
    {"act_layer": "gelu_tanh"},
    {"init_values": 0.1},
    {"no_embed_class": True},
    {"reg_tokens": 4},
    {"class_token": False, "global_pool": "avg"},
    {"img_size": [16, 64]},
    {"mlp_ratio": 2.0},
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_another_argument_of_timms_gives_its_logits_or_is_refused(tmp_path, arguments):
    theirs = timm_folder(tmp_path, **arguments)
    try:
        ours = load(tmp_path, attention="space")
    except WeightsError:
        assert arguments not in READ
        return
    height, width = ours.config.size
    assert [height, width] == list(arguments.get("img_size", [32, 32]))
    assert not any("assumed" in line for line in ours.report)
    torch.manual_seed(1)
    picture = torch.randn(2, 3, height, width)
    with torch.no_grad():
        wanted = theirs(picture)
        torch.testing.assert_close(ours.network(picture[:, :, None]), wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "about", "message"),
    [
        ({}, {"model_args": {"act_layer": "relu"}}, r"model_args\.act_layer='relu'; wanted 'gelu' or 'gelu_tanh'"),
        ({}, {"model_args": {"rope": True}}, r"model_args\.rope=True; wanted only keys that vidattn knows"),
        ({}, {"stem": "conv"}, r"config\.json: stem='conv'; wanted only keys that vidattn knows"),
        ({}, {"model_args": {"embed_dim": 64}}, r"model_args\.embed_dim=64; wanted 32, as the weights have it"),
        ({"class_token": False, "global_pool": "avg"}, {"global_pool": "max"}, "a ViT that has global_pool='max'"),
    ],
)
def test_what_a_key_of_timms_means_is_never_left_out(tmp_path, arguments, about, message):
    timm_folder(tmp_path, about, **arguments)

    with pytest.raises(WeightsError, match=message):
        load(tmp_path)


@pytest.mark.parametrize("given", [["walk"], "walk", {"0": "walk"}, [1, 2, 3]])
def test_the_same_holds_for_timms_names(tmp_path, given):
    timm_folder(tmp_path, {"label_names": given})

    model = load(tmp_path)

    assert model.class_names == []
    assert any("class names: not taken over; label_names in config.json has" in line for line in model.report)


def test_the_licence_is_what_timms_file_says_or_where_it_stands(tmp_path):
    said = Foreign(tmp_path / "config.json", {"pretrained_cfg": {"license": "cc-by-nc-4.0"}})
    assert timm_source.licence_of(said.part("pretrained_cfg")) == "cc-by-nc-4.0 (as timm's config.json says)"
    silent = Foreign(tmp_path / "config.json", {})
    assert "timm.get_pretrained_cfg(name).license names" in timm_source.licence_of(silent.part("pretrained_cfg"))
