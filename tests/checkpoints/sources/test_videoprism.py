"""VideoPrism by Hugging Face's code with random weights, from its folders."""

import json

import pytest
import torch

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.sources import videoprism

transformers = pytest.importorskip("transformers", reason="transformers is a test dependency")

SIZES = {
    "image_size": 32,
    "num_frames": 4,
    "tubelet_size": [1, 8, 8],
    "hidden_size": 24,
    "num_attention_heads": 2,
    "intermediate_size": 96,
    "num_spatial_layers": 2,
    "num_temporal_layers": 1,
    "attn_logit_softcapping": 2.0,  # so low that scores reach it
    "id2label": {0: "walk", 1: "run", 2: "sit"},
}


def model(kind="VideoPrismForVideoClassification", **changes):
    torch.manual_seed(0)
    found = getattr(transformers, kind)(transformers.VideoPrismVisionConfig(**SIZES | changes))
    for parameter in found.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return found.eval()


def clip(frames=4, height=32, width=32):
    torch.manual_seed(1)
    return torch.rand(2, 3, frames, height, width)


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", [(4, 32, 32), (8, 32, 32), (3, 32, 32), (4, 48, 24), (2, 16, 40)])
def test_a_folder_of_a_classifier_gives_its_logits_also_of_other_clips(tmp_path, shape):
    theirs = model()
    theirs.save_pretrained(tmp_path)

    ours = load(tmp_path)

    with torch.no_grad():
        wanted = theirs(clip(*shape).transpose(1, 2), interpolate_pos_encoding=shape != (4, 32, 32)).logits
        close(ours.network(clip(*shape)), wanted[:, 0])
    assert ours.class_names == ["walk", "run", "sit"]
    assert ours.preprocessing.to_dict() == {"image_size": 32, **videoprism.PIXELS}


def test_scores_of_this_test_reach_the_cap(tmp_path):
    low, high = model(), model(attn_logit_softcapping=50.0)
    video = clip().transpose(1, 2)
    with torch.no_grad():
        assert (low(video).logits - high(video).logits).abs().max() > 1e-2


def test_a_folder_of_the_vision_model_gives_its_features(tmp_path):
    theirs = model("VideoPrismVisionModel")
    theirs.save_pretrained(tmp_path)

    ours = load(tmp_path)

    with torch.no_grad():
        wanted = theirs(clip().transpose(1, 2)).last_hidden_state
        close(ours.network.features(clip(), normalized=True).tokens, wanted)
        close(ours.network.read(ours.network.features(clip())), wanted.mean(1))
    assert ours.head_is_fresh
    assert ours.config.pooling == "normed_mean"
    assert "CC-BY 4.0" in ours.licence


def test_what_was_converted_is_the_same_network(tmp_path):
    theirs = model()
    theirs.save_pretrained(tmp_path / "theirs")
    load(tmp_path / "theirs").save_pretrained(tmp_path / "ours")
    with torch.no_grad():
        close(load(tmp_path / "ours").network(clip()), theirs(clip().transpose(1, 2)).logits[:, 0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tubelet_size": [2, 8, 8]}, r"tubelet_size=2x8x8: VideoPrism's are squares of one frame"),
        ({"tubelet_size": 8}, r"tubelet_size=8; wanted three whole numbers"),
        ({"hidden_act": "relu"}, r"hidden_act='relu'; wanted 'gelu' or 'gelu_python'"),
        ({"intermediate_size": 48}, r"intermediate_size=48; wanted 96"),
        ({"attn_logit_softcapping": 2.5}, r"attn_logit_softcapping=2\.5; wanted a whole number"),
        ({"qkv_bias": False}, r"qkv_bias=False; wanted true"),
        ({"rope": True}, r"rope=True; wanted only keys that vidattn knows"),
        ({"num_spatial_layers": 1}, r"left over: vision_model\.spatial_layers\.1"),
    ],
)
def test_a_configuration_of_another_network_is_refused_by_name(tmp_path, changes, message):
    model().save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(WeightsError, match=message):
        load(tmp_path)


def test_sizes_that_patches_do_not_divide_are_refused(tmp_path):
    model().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"input=30x32: 30 is not a multiple of patch_size=8"):
        load(tmp_path).network(clip(4, 30, 32))
