"""VideoMAE's and VideoMAEv2's own files: Hugging Face's VideoMAE with random weights, by the authors' names."""

import json

import pytest
import torch
from foreign_folders import randomised
from safetensors.torch import save_file

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.sources import videomae, videomae_official

transformers = pytest.importorskip("transformers", reason="transformers is a test dependency")

SIZES = {
    "image_size": 28,
    "patch_size": 14,
    "num_frames": 4,
    "hidden_size": 44,  # as in ViT-g no multiple of 64, and heads of 22
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 192,
    "layer_norm_eps": 1e-6,
    "num_labels": 7,
    "id2label": {i: str(i) for i in range(7)},
}


def classifier(**changes):
    """HF's classifier, its last norm with the authors' eps."""
    model = randomised(transformers.VideoMAEForVideoClassification(transformers.VideoMAEConfig(**SIZES | changes)))
    model.fc_norm.eps = 1e-6
    return model


def official(model, prefix=""):
    """Its weights by the authors' names."""
    state, found = model.state_dict(), {}
    for ours, theirs in videomae.names(state).items():
        for i in range(2) if "{i}" in ours else [0]:
            several = [one.replace("{i}", str(i)) for one in ([theirs] if isinstance(theirs, str) else theirs)]
            for part in ("", ".weight", ".bias"):
                if all(f"{one}{part}" in state for one in several):
                    name = videomae_official.NAMES[ours].replace("{i}", str(i)) + part
                    found[f"{prefix}{name}"] = torch.cat([state[f"{one}{part}"] for one in several])
    return found


def clip(frames=4, side=28):
    torch.manual_seed(1)
    return torch.randn(2, 3, frames, side, side)


def heads_of(monkeypatch, heads=2):
    monkeypatch.setitem(videomae_official.HEADS, 44, heads)
    monkeypatch.setattr(videomae_official, "SIDE", 28)
    monkeypatch.setattr(videomae_official, "FRAMES", 4)


@pytest.mark.parametrize("wrapper", ["module", "model", None])
def test_a_classifier_gives_the_same_logits_whatever_its_weights_are_wrapped_in(tmp_path, monkeypatch, wrapper):
    heads_of(monkeypatch)
    theirs = classifier()
    state = official(theirs)
    torch.save(
        state if wrapper is None else {wrapper: state, "epoch": 3}, tmp_path / "vit_g_hybrid_pt_1200e_k710_ft.pth"
    )

    ours = load(tmp_path / "vit_g_hybrid_pt_1200e_k710_ft.pth")

    with torch.no_grad():
        torch.testing.assert_close(ours.network(clip()), theirs(clip().transpose(1, 2)).logits, atol=1e-5, rtol=1e-5)
    assert (ours.config.patch_size, ours.config.num_classes, int(44 * ours.config.mlp_ratio)) == (14, 7, 192)
    assert ours.preprocessing.to_dict() == {"image_size": 28, **videomae.PIXELS}
    assert ours.report == [
        "num_heads: assumed 2, as published for width 44; the file does not say",
        "num_frames, image_size: assumed 4 and 28, the file does not say",
    ]
    assert "Apache-2.0" in ours.licence


def test_a_pre_trained_file_gives_its_encoder(tmp_path, monkeypatch):
    heads_of(monkeypatch)
    theirs = classifier()
    state = {f"encoder.{name}": one for name, one in official(theirs).items() if not name.startswith("head.")}
    state = {name.replace("fc_norm", "norm"): value for name, value in state.items()}
    state |= {"mask_token": torch.zeros(1, 1, 24), "decoder.head.weight": torch.zeros(24, 24)}
    torch.save({"model": state}, tmp_path / "vit_g_hybrid_pt_1200e.pth")

    ours = load(tmp_path / "vit_g_hybrid_pt_1200e.pth")

    with torch.no_grad():
        tokens = theirs.videomae(clip().transpose(1, 2)).last_hidden_state
        wanted = theirs.fc_norm(tokens.mean(1))
        torch.testing.assert_close(ours.network.read(ours.network.features(clip())), wanted, atol=1e-5, rtol=1e-5)
    assert ours.report[0] == "the decoder of pre-training: left out, 2 tensors"
    assert ours.head_is_fresh


FOLDER = {
    "model_type": "VideoMAEv2_Base",
    "architectures": ["VideoMAEv2_Base"],
    "auto_map": {"AutoModel": "modeling_videomaev2.VideoMAEv2", "AutoConfig": "modeling_config.VideoMAEv2Config"},
    "transformers_version": "4.38.0",
    "use_cache": True,
}
INSIDE = {
    **{"img_size": 28, "patch_size": 14, "in_chans": 3, "num_classes": 0, "embed_dim": 44, "depth": 2, "num_heads": 2},
    **{"mlp_ratio": 192 / 44, "qkv_bias": True, "qk_scale": None, "drop_rate": 0.0, "norm_layer": "nn.LayerNorm"},
    **{"layer_norm_eps": 1e-6, "init_values": 0.0, "use_learnable_pos_emb": False, "tubelet_size": 2, "num_frames": 4},
    **{"use_mean_pooling": True, "with_cp": False, "cos_attn": False},
}


def folder(path, theirs, **changes):
    state = {name: one for name, one in official(theirs, "model.").items() if not name.startswith("model.head")}
    save_file(state, path / "model.safetensors")
    (path / "config.json").write_text(json.dumps(FOLDER | {"model_config": INSIDE | changes}))


def test_the_hubs_folder_is_read_and_its_code_is_not_run(tmp_path):
    theirs = classifier()
    folder(tmp_path, theirs)
    (tmp_path / "modeling_videomaev2.py").write_text("raise SystemExit('run')")

    ours = load(tmp_path)

    with torch.no_grad():
        wanted = theirs.fc_norm(theirs.videomae(clip().transpose(1, 2)).last_hidden_state.mean(1))
        torch.testing.assert_close(ours.network.read(ours.network.features(clip())), wanted, atol=1e-5, rtol=1e-5)
    assert ours.licence == "CC-BY-NC-4.0 (OpenGVLab/VideoMAEv2-Base)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cos_attn": True}, r"model_config\.cos_attn=True; wanted false"),
        ({"use_learnable_pos_emb": True}, r"model_config\.use_learnable_pos_emb=True; wanted false"),
        ({"init_values": 0.1}, r"model_config\.init_values=0\.1; wanted 0, no LayerScale"),
        ({"use_mean_pooling": False}, r"model_config\.use_mean_pooling=False; wanted true"),
        ({"rope": True}, r"model_config\.rope=True; wanted only keys that vidattn knows"),
        ({"embed_dim": 48}, r"the weights do not fit this network"),
    ],
)
def test_a_folder_of_another_network_is_refused_by_name(tmp_path, changes, message):
    folder(tmp_path, classifier(), **changes)
    with pytest.raises(WeightsError, match=message):
        load(tmp_path)


def test_a_head_for_other_classes_starts_anew(tmp_path, monkeypatch):
    heads_of(monkeypatch)
    torch.save({"module": official(classifier())}, tmp_path / "a.pth")
    assert "head: reset, 7 classes -> 5" in load(tmp_path / "a.pth", num_classes=5).report
