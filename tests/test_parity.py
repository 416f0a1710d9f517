"""Numerically the official model: HF's TimeSformer (equal to it bit for bit) with random weights, mapped onto ours."""

import pytest
import torch

from vidattn.checkpoints import huggingface, timesformer
from vidattn.checkpoints.names import WeightsError, renamed
from vidattn.models.presets import VideoTransformerConfig, build_network

transformers = pytest.importorskip("transformers", reason="transformers is a test dependency")

THEIR_NAMES = {"divided": "divided_space_time", "joint": "joint_space_time", "space": "space_only"}
SIZES = [(8, 32, 2), (3, 48, 3), (5, 32, 4)]  # frames, pixels, heads


def hf_model(attention, frames, size, heads, classes=7):
    """HF's model with every parameter random: zero biases and tables would hide a wrong mapping."""
    torch.manual_seed(0)
    config = transformers.TimesformerConfig(
        image_size=size,
        patch_size=16,
        num_frames=frames,
        hidden_size=16 * heads,
        num_hidden_layers=3,
        num_attention_heads=heads,
        intermediate_size=64 * heads,
        attention_type=THEIR_NAMES[attention],
        num_labels=classes,
    )
    model = transformers.TimesformerForVideoClassification(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return model


def hf_logits(model, video, attention):
    """Logits of HF's model; space-only gets the mean over frames that HF lacks, before the last norm."""
    if attention != "space":
        return model(video.transpose(1, 2)).logits
    body = model.timesformer
    tokens = body.encoder(body.embeddings(video.transpose(1, 2)))[0]
    return model.classifier(body.layernorm(tokens[:, 0].unflatten(0, video.shape[:1] + (-1,)).mean(1)))


def pair(attention, frames, size, heads):
    theirs = hf_model(attention, frames, size, heads)
    config = VideoTransformerConfig(
        attention=attention,
        num_classes=7,
        num_frames=frames,
        image_size=size,
        embed_dim=16 * heads,
        depth=3,
        num_heads=heads,
    )
    ours = build_network(config).eval()
    ours.load_state_dict(renamed(theirs.state_dict(), huggingface.SCHEMES[attention], ours))
    return ours, theirs


@pytest.mark.parametrize("attention", ["divided", "joint", "space"])
@pytest.mark.parametrize(("frames", "size", "heads"), SIZES)
def test_logits_and_parameter_counts_equal_the_reference(attention, frames, size, heads):
    ours, theirs = pair(attention, frames, size, heads)
    video = torch.randn(2, 3, frames, size, size)
    with torch.no_grad():
        torch.testing.assert_close(ours(video), hf_logits(theirs, video, attention), rtol=1e-5, atol=1e-5)
    count = sum(parameter.numel() for parameter in ours.parameters())
    assert count == sum(parameter.numel() for parameter in theirs.parameters())


@pytest.mark.parametrize("attention", ["divided", "joint", "space"])
def test_gradients_equal_the_reference(attention):
    ours, theirs = (model.double() for model in pair(attention, 4, 32, 2))
    video = torch.randn(2, 3, 4, 32, 32, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 7, dtype=torch.float64)
    (our_input,) = torch.autograd.grad((ours(video) * weights).sum(), video, retain_graph=True)
    (ours(video) * weights).sum().backward()
    video_gradient, video.grad = video.grad, None
    (hf_logits(theirs, video, attention) * weights).sum().backward()
    torch.testing.assert_close(our_input, video.grad, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(video_gradient, video.grad, rtol=1e-8, atol=1e-10)
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for name, gradient in renamed(gradients, huggingface.SCHEMES[attention], ours).items():
        torch.testing.assert_close(ours.get_parameter(name).grad, gradient, rtol=1e-8, atol=1e-10, msg=name)


@pytest.mark.parametrize("attention", ["divided", "joint", "space"])
def test_every_official_name_is_used_once(attention):
    """HF and the official code differ in names only, so the tables must have the same entries of ours."""
    official, hf = timesformer.SCHEMES[attention], huggingface.SCHEMES[attention]
    assert official.keys() == hf.keys()
    assert len(set(official.values())) == len(official)


def test_missing_left_over_and_misshapen_weights_are_all_listed():
    ours, theirs = pair("joint", 2, 32, 2)
    weights = theirs.state_dict()
    del weights["timesformer.layernorm.bias"]
    weights["extra"] = torch.zeros(1)
    weights["classifier.bias"] = torch.zeros(9)
    with pytest.raises(WeightsError, match=r"missing: timesformer.layernorm.bias") as error:
        renamed(weights, huggingface.JOINT, ours)
    assert "left over: extra" in str(error.value)
    assert "classifier.bias is (9,), wanted (7,)" in str(error.value)
