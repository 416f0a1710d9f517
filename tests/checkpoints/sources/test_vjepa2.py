"""V-JEPA 2 by Hugging Face's code with random weights: from its folders, and from files as Meta writes them."""

import json
import re
from types import MethodType

import pytest
import torch
from safetensors.torch import save_file

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.sources import vjepa2, vjepa2_official
from vidattn.models.attentive_probe import EPS, HEADS
from vidattn.training.video_classifier import VideoClassifier

transformers = pytest.importorskip("transformers", reason="transformers is a test dependency")

SIZES = {
    "patch_size": 8,
    "crop_size": 32,
    "frames_per_clip": 4,
    "hidden_size": 96,
    "num_attention_heads": 8,  # of 12: two pairs turn with each axis; the probe has 16 of 6
    "num_hidden_layers": 2,
    "mlp_ratio": 1.5,
    "pred_hidden_size": 24,
    "pred_num_attention_heads": 2,
    "pred_num_hidden_layers": 1,
    "id2label": {0: "walk", 1: "run", 2: "sit"},
}


def randomised(model):
    """Every parameter random, norms about one."""
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=float("norm" in name and "weight" in name), std=0.15)
    return model.eval()


def classifier(**changes):
    """HF's classifier, its probe with the official eps and heads."""
    model = randomised(transformers.VJEPA2ForVideoClassification(transformers.VJEPA2Config(**SIZES | changes)))
    for module in model.pooler.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = EPS
        if hasattr(module, "num_heads"):
            module.num_heads, module.head_dim = HEADS, module.embed_dim // HEADS
            module.scale = module.head_dim**-0.5
    return model


def encoder(**changes):
    return randomised(transformers.VJEPA2Model(transformers.VJEPA2Config(**SIZES | changes)))


def clip(frames=4, height=32, width=32):
    torch.manual_seed(1)
    return torch.randn(2, 3, frames, height, width)


def tokens_of(model, video):
    with torch.no_grad():
        return model(video.transpose(1, 2), skip_predictor=True).last_hidden_state


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("frames", [2, 4, 8])
def test_a_folder_of_a_classifier_gives_its_logits(tmp_path, frames):
    theirs = classifier()
    theirs.save_pretrained(tmp_path)
    transformers.VJEPA2VideoProcessor(crop_size=32).save_pretrained(tmp_path)

    ours = load(tmp_path)

    with torch.no_grad():
        close(ours.network(clip(frames)), theirs(clip(frames).transpose(1, 2)).logits)
    assert ours.class_names == ["walk", "run", "sit"]
    assert (ours.config.pooling, ours.config.query_key) == ("attentive_probe", "tiled_rotary")
    assert ours.preprocessing.to_dict() == {
        "image_size": 32,
        "short_side": 36,
        "crop_rounding": "down",
        **vjepa2.PIXELS,
    }
    assert ours.report == [
        "the predictor of pre-training: left out, 23 tensors",
        "readout: 16 heads and eps 1e-05, as the official probes were trained; Hugging Face's code computes it with 8 "
        "heads and eps 1e-06, so logits differ",
    ]


def test_a_folder_of_an_encoder_gives_its_features(tmp_path):
    theirs = encoder()
    theirs.save_pretrained(tmp_path)

    ours = load(tmp_path)

    with torch.no_grad():
        features = ours.network.features(clip(), normalized=True)
        close(features.tokens, tokens_of(theirs, clip()))
        close(ours.network.read(ours.network.features(clip())), tokens_of(theirs, clip()).mean(1))
    assert ours.head_is_fresh
    assert ours.class_names == []


def places(height, width):
    """What HF's code asks of an attention module, by plain loops over a map that is no square."""

    def position_ids(self, x, masks=None):
        found = [(t, h, w) for t in range(x.shape[1] // (height * width)) for h in range(height) for w in range(width)]
        return torch.tensor(found).unbind(1)

    return position_ids


@pytest.mark.parametrize(("height", "width"), [(16, 40), (40, 16), (8, 8), (48, 48)])
def test_where_sizes_are_not_the_configurations_positions_are_rows_and_columns_all_the_same(tmp_path, height, width):
    """HF counts them on a square of the configured size, which numbers the tokens of other maps wrongly."""
    theirs = encoder()
    theirs.save_pretrained(tmp_path)
    ours = load(tmp_path).network
    with torch.no_grad():
        found = ours.features(clip(4, height, width), normalized=True).tokens
    assert (found - tokens_of(theirs, clip(4, height, width))).abs().max() > 1e-3
    for layer in theirs.encoder.layer:
        layer.attention.get_position_ids = MethodType(places(height // 8, width // 8), layer.attention)
    close(found, tokens_of(theirs, clip(4, height, width)))


def official(names, state, depth):
    """A state dict of HF's by Meta's names, made of the two tables of names."""
    hf, meta = names
    found = {}
    for ours, theirs in hf.items():
        for i in range(depth) if "{i}" in ours else [0]:
            several = [theirs] if isinstance(theirs, str) else theirs
            for part in ("", ".weight", ".bias"):
                keys = [f"{one.replace('{i}', str(i))}{part}" for one in several]
                if all(key in state for key in keys):
                    found[meta[ours].replace("{i}", str(i)) + part] = torch.cat([state[key] for key in keys])
    return found


def encoder_file(path, theirs, wrapper="module.backbone.", **more):
    state = {name if name.startswith("vjepa2.") else f"vjepa2.{name}": one for name, one in theirs.state_dict().items()}
    bare = official((vjepa2.ENCODER, vjepa2_official.ENCODER), state, 2)
    table = {"pos_embed": torch.zeros(1, 32, bare["norm.bias"].numel())}
    wrapped = {f"{wrapper}{name}": value for name, value in (bare | table).items()}
    wrong = {name: value + 1 for name, value in wrapped.items()}
    torch.save({"encoder": wrong, "target_encoder": wrapped, "predictor": {}, "epoch": 3, **more}, path)


def probe_file(path, theirs):
    bare = official((vjepa2.PROBE, vjepa2_official.PROBE), theirs.state_dict(), 0)
    state = {f"module.{name}": value for name, value in bare.items()}
    torch.save({"classifiers": [state, {name: value + 1 for name, value in state.items()}], "epoch": 20}, path)


def test_metas_encoder_is_the_average_of_the_training(tmp_path):
    theirs = encoder(num_attention_heads=1, hidden_size=64)  # heads of 64, where nobody published the width
    encoder_file(tmp_path / "vitl.pt", theirs)

    ours = load(tmp_path / "vitl.pt")

    with torch.no_grad():
        close(ours.network.features(clip(), normalized=True).tokens, tokens_of(theirs, clip()))
    assert (ours.config.num_frames, ours.config.image_size, ours.config.pooling) == (64, 256, "normed_mean")
    assert ours.preprocessing.short_side == 292
    assert ours.report == [
        "a table of positions that nobody uses: left out, 1 tensors",
        "num_heads: assumed 1, as published for width 64; the file does not say",
        "num_frames, image_size: assumed 64 and 256, the file does not say; there is no table of positions, so that "
        "other clips are no approximation",
        "the predictor of pre-training: left out",
        "head: reset, none -> 400",
    ]


def test_metas_probe_is_read_with_the_encoder_beside_it(tmp_path):
    theirs = classifier(hidden_size=64, num_attention_heads=1)
    encoder_file(tmp_path / "vitl.pt", theirs)
    probe_file(tmp_path / "ssv2-vitl-16x2x3.pt", theirs)

    ours = load(tmp_path / "ssv2-vitl-16x2x3.pt", image_size=32, num_frames=4)

    with torch.no_grad():
        close(ours.network(clip()), theirs(clip().transpose(1, 2)).logits)
    assert ours.preprocessing.image_size == 32
    assert not ours.head_is_fresh


def test_what_was_converted_is_the_same_network_and_names_its_licence(tmp_path):
    theirs = classifier()
    theirs.save_pretrained(tmp_path / "theirs")
    load(tmp_path / "theirs").save_pretrained(tmp_path / "ours")

    ours = load(tmp_path / "ours")

    with torch.no_grad():
        close(ours.network(clip()), theirs(clip().transpose(1, 2)).logits)
    assert ours.licence == vjepa2.LICENCE
    assert f"| licence of these weights | {vjepa2.LICENCE} |" in (tmp_path / "ours" / "README.md").read_text()


def test_a_network_that_was_trained_from_the_weights_keeps_their_licence(tmp_path):
    classifier().save_pretrained(tmp_path)
    module = VideoClassifier(load(tmp_path).config, weights=str(tmp_path))
    checkpoint = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(checkpoint)
    torch.save(checkpoint, tmp_path / "run.ckpt")
    assert load(tmp_path / "run.ckpt").licence == vjepa2.LICENCE


def test_an_encoder_takes_a_fresh_probe(tmp_path):
    encoder().save_pretrained(tmp_path)
    report = load(tmp_path, pooling="attentive_probe", num_classes=5).report
    assert "head: reset, none -> 5" in report
    assert "readout: starts fresh" in report
    assert "pooling: normed_mean in the file, attentive_probe here" in report


def test_a_probe_as_wide_as_diving48s_is_told_of(tmp_path):
    classifier(id2label={i: f"dive {i}" for i in range(48)}).save_pretrained(tmp_path)
    assert any("48 classes, as of Diving48" in line for line in load(tmp_path).report)


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        ([], r"probe\.pt: a V-JEPA 2 probe, whose encoder is in a file of its own: .*; there: none"),
        (["a.pt", "b.pt"], r"as the only other \.pt of the folder; there: a\.pt, b\.pt"),
        (["junk.pt"], r"junk\.pt beside it is no V-JEPA 2 encoder"),
        (["wide.pt"], r"the probe is for encoders of width 64, and the encoder beside it has 96"),
        (["new.pt"], r"V-JEPA 2\.1"),
    ],
)
def test_a_probe_without_its_encoder_says_what_to_put_beside_it(tmp_path, beside, message):
    probe_file(tmp_path / "probe.pt", classifier(hidden_size=64, num_attention_heads=1))
    for name in beside:
        encoder_file(tmp_path / name, encoder())
    if beside == ["junk.pt"]:
        torch.save({"weights": torch.zeros(3)}, tmp_path / "junk.pt")
    if beside == ["new.pt"]:
        found = torch.load(tmp_path / "new.pt")
        found["target_encoder"]["module.backbone.norms_block.0.weight"] = torch.ones(96)
        torch.save(found, tmp_path / "new.pt")
    with pytest.raises(WeightsError, match=message):
        load(tmp_path / "probe.pt")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_pooler_layers": 2}, r"num_pooler_layers=2; wanted 3, as V-JEPA 2's attentive probes have"),
        ({"in_chans": 1}, r"in_chans=1; wanted 3: red, green and blue"),
        ({"use_silu": True}, r"use_silu=True; wanted only keys that vidattn knows"),
    ],
)
def test_a_configuration_that_is_another_network_is_refused_by_name(tmp_path, changes, message):
    classifier().save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(WeightsError, match=message):
        load(tmp_path)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 32, 32), r"input frames=1 is not a multiple of tubelet_size=2; nearest lengths? (is|are) 2"),
        ((4, 30, 32), r"input=30x32: 30 is not a multiple of patch_size=8"),
    ],
)
def test_clips_that_it_cannot_take_are_refused(tmp_path, shape, message):
    encoder().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=message):
        load(tmp_path).network(clip(*shape))


def test_a_file_with_a_layer_missing_names_it(tmp_path):
    theirs = encoder(hidden_size=64, num_attention_heads=1)
    encoder_file(tmp_path / "vitl.pt", theirs)
    found = torch.load(tmp_path / "vitl.pt")
    del found["target_encoder"]["module.backbone.norm.weight"]
    torch.save(found, tmp_path / "vitl.pt")
    with pytest.raises(WeightsError, match=re.escape("missing: norm.weight (for our norm.weight)")):
        load(tmp_path / "vitl.pt")


def test_safetensors_of_hugging_face_alone_ask_for_their_configuration(tmp_path):
    save_file(classifier().state_dict(), tmp_path / "weights.safetensors")
    with pytest.raises(WeightsError, match=r"weights of a Hugging Face vjepa2; put its config\.json beside them"):
        load(tmp_path / "weights.safetensors")


@pytest.mark.parametrize("prefix", ["", "module.backbone.", "backbone."])
def test_an_encoder_that_was_saved_without_its_wrapper_is_the_same(tmp_path, prefix):
    encoder_file(tmp_path / "vitl.pt", encoder(hidden_size=64, num_attention_heads=1))
    wanted = load(tmp_path / "vitl.pt")
    found = torch.load(tmp_path / "vitl.pt")["target_encoder"]
    flat = {name.replace("module.backbone.", prefix): value for name, value in found.items()}
    torch.save(flat, tmp_path / "flat.pt")
    model = load(tmp_path / "flat.pt")
    assert model.config == wanted.config
    torch.testing.assert_close(model.network.blocks.state_dict(), wanted.network.blocks.state_dict())
    assert "encoder: the file holds weights alone; taken as V-JEPA's by their names" in model.report
    assert not any("holds weights alone" in line for line in wanted.report)
