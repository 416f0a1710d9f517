"""Folders that `transformers` writes, loaded by us: same logits, names and pixels."""

import json
import re

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_networks import SMALL

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.renaming import WeightsError
from vidattn.classify.preparation import preparation_of

transformers = pytest.importorskip("transformers", reason="transformers is a test dependency")


def randomised(model):
    """Every parameter random, norms about one."""
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=float("norm" in name and "weight" in name), std=0.15)
    return model.eval()


def timesformer(attention_type="divided_space_time", labels=("walk", "run", "sit")):
    config = transformers.TimesformerConfig(
        image_size=32,
        patch_size=8,
        num_frames=4,
        hidden_size=SMALL.embed_dim,
        num_hidden_layers=2,
        num_attention_heads=4,  # of 8: not what the weights alone would suggest
        intermediate_size=48,
        attention_type=attention_type,
        id2label=dict(enumerate(labels)),
    )
    return randomised(transformers.TimesformerForVideoClassification(config))


def video(frames=4):
    torch.manual_seed(1)
    return torch.randn(2, 3, frames, 32, 32)


@pytest.mark.parametrize("attention_type", ["divided_space_time", "joint_space_time"])
def test_a_timesformer_folder_gives_the_same_logits(tmp_path, attention_type):
    theirs = timesformer(attention_type)
    theirs.save_pretrained(tmp_path)

    ours = load(tmp_path)

    with torch.no_grad():
        wanted = theirs(video().transpose(1, 2)).logits
        torch.testing.assert_close(ours.network(video()), wanted, atol=1e-5, rtol=1e-5)
    assert ours.class_names == ["walk", "run", "sit"]
    assert (ours.config.num_heads, ours.config.mlp_ratio) == (4, 1.5)
    assert ours.preprocessing.to_dict() == {"mean": [0.45] * 3, "std": [0.225] * 3, "image_size": 32}
    assert ours.report == [
        "mean and std: assumed [0.45, 0.45, 0.45] and [0.225, 0.225, 0.225], its Hugging Face folder does not say"
    ]


def test_a_pickled_folder_gives_what_safetensors_do(tmp_path):
    theirs = timesformer()
    theirs.save_pretrained(tmp_path)
    torch.save(theirs.state_dict(), tmp_path / "pytorch_model.bin")
    wanted = load(tmp_path).network
    (tmp_path / "model.safetensors").unlink()

    for source in (tmp_path, tmp_path / "pytorch_model.bin"):
        assert all(
            torch.equal(a, b) for a, b in zip(load(source).network.parameters(), wanted.parameters(), strict=True)
        )


def test_weights_in_pieces_are_put_together(tmp_path):
    theirs = timesformer()
    theirs.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1

    with torch.no_grad():
        torch.testing.assert_close(load(tmp_path).network(video()), theirs(video().transpose(1, 2)).logits)


def test_a_model_saved_without_its_head_gets_a_fresh_one(tmp_path):
    theirs = timesformer().timesformer
    theirs.save_pretrained(tmp_path)

    ours = load(tmp_path, num_classes=6)

    assert "head: reset, none -> 6" in ours.report
    assert ours.class_names == []
    assert torch.equal(ours.network.norm.weight, theirs.layernorm.weight)


def test_placeholders_are_no_names(tmp_path):
    timesformer(labels=("LABEL_0", "LABEL_1")).save_pretrained(tmp_path)

    assert load(tmp_path).class_names == []


def edited(folder, name, **changes):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text() if path.exists() else "{}") | changes))


def test_the_processors_mean_std_and_sizes_are_taken_over(tmp_path):
    timesformer().save_pretrained(tmp_path)
    edited(
        tmp_path,
        "preprocessor_config.json",
        image_mean=[0.1, 0.2, 0.3],
        image_std=[0.4, 0.5, 0.6],
        size={"shortest_edge": 256},
        crop_size={"height": 224, "width": 224},
    )

    ours = load(tmp_path)

    assert ours.preprocessing.mean == pytest.approx([0.1, 0.2, 0.3])
    assert ours.preprocessing.std == pytest.approx([0.4, 0.5, 0.6])
    assert (ours.preprocessing.image_size, ours.preprocessing.short_side) == (224, 256)
    assert ours.report == []


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"image_std": [0, 1, 1]}, "numbers above 0"),
        ({"image_mean": [0.5]}, "a number for each of red, green and blue"),
        ({"size": "large"}, "a whole number above 0, or height and width"),
        ({"crop_size": {"shortest_edge": 224}}, "height and width$"),
        ({"rescale_factor": "x"}, "a number above 0"),
        ({"do_normalize": "no"}, "true or false"),
    ],
)
def test_a_processor_that_makes_no_sense_is_named(tmp_path, changes, wanted):
    timesformer().save_pretrained(tmp_path)
    edited(tmp_path, "preprocessor_config.json", image_mean=[0.5] * 3, image_std=[0.5] * 3)
    edited(tmp_path, "preprocessor_config.json", **changes)

    ((key, value),) = changes.items()

    with pytest.raises(
        WeightsError, match=rf"preprocessor_config\.json: {key}={re.escape(repr(value))}; wanted {wanted}"
    ):
        load(tmp_path)


def test_a_model_of_another_type_is_refused_by_name(tmp_path):
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=9
    )
    transformers.BertModel(config).save_pretrained(tmp_path)

    with pytest.raises(
        WeightsError,
        match=r"of type 'bert'; vidattn reads timesformer, videomae, VideoMAEv2, .*vit, vivit, vjepa2",
    ):
        load(tmp_path)


def test_a_configuration_that_does_not_fit_the_weights_names_what_is_in_the_way(tmp_path):
    timesformer().save_pretrained(tmp_path)
    edited(tmp_path, "config.json", num_hidden_layers=1)

    with pytest.raises(WeightsError, match=r"left over: timesformer\.encoder\.layer\.1\."):
        load(tmp_path)


def test_another_activation_is_refused(tmp_path):
    timesformer().save_pretrained(tmp_path)
    edited(tmp_path, "config.json", hidden_act="silu")

    with pytest.raises(WeightsError, match=r"config\.json: hidden_act='silu'; wanted 'gelu' or 'gelu_fast' or"):
        load(tmp_path)


SIZES = {
    "image_size": 32,
    "num_frames": 8,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}


def vivit():
    config = transformers.VivitConfig(**SIZES, tubelet_size=[2, 8, 8], id2label={0: "walk", 1: "run", 2: "sit"})
    return randomised(transformers.VivitForVideoClassification(config))


BIASES = "qv_bias" if hasattr(transformers.VideoMAEConfig(), "qv_bias") else "qkv_bias"


def videomae(cls="VideoMAEForVideoClassification", **changes):
    config = transformers.VideoMAEConfig(
        **SIZES,
        patch_size=8,
        tubelet_size=2,
        decoder_hidden_size=24,
        decoder_num_attention_heads=2,
        decoder_num_hidden_layers=1,
        decoder_intermediate_size=16,
        **changes,
    )
    return randomised(getattr(transformers, cls)(config))


def assert_same_logits(ours, theirs):
    with torch.no_grad():
        wanted = theirs(video(8).transpose(1, 2)).logits
        torch.testing.assert_close(ours.network(video(8)), wanted, atol=1e-5, rtol=1e-5)
    assert wanted.abs().max() > 0.1  # there is something to compare


def write_as_in_memory(folder, model):
    """The weights by the names that they have in memory, where `save_pretrained` writes the older ones."""
    model.save_pretrained(folder)
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, folder / "model.safetensors")


def write(folder, model):
    model.save_pretrained(folder)


@pytest.mark.parametrize("writer", [write, write_as_in_memory])
def test_a_vivit_gives_the_same_logits_by_its_old_names_and_its_new_ones(tmp_path, writer):
    theirs = vivit()
    writer(tmp_path, theirs)
    name = (
        "vivit.encoder.layer.0.attention.attention.query.bias"
        if writer is write
        else "vivit.layers.0.attention.q_proj.bias"
    )
    assert name in load_file(tmp_path / "model.safetensors")

    ours = load(tmp_path)

    assert_same_logits(ours, theirs)
    assert ours.class_names == ["walk", "run", "sit"]
    assert (ours.config.tubelet_size, ours.config.position, ours.config.activation) == (2, "token", "gelu_tanh")


@pytest.mark.parametrize("writer", [write, write_as_in_memory])
@pytest.mark.parametrize("qv_bias", [True, False])
def test_a_videomae_gives_the_same_logits_by_its_old_names_and_its_new_ones(tmp_path, writer, qv_bias):
    theirs = videomae(**{BIASES: qv_bias}, num_labels=3)
    writer(tmp_path, theirs)
    inner = "videomae.encoder.layer.0.attention.attention"
    names = {"q_bias", "query.bias"} if writer is write else {"query.bias"}  # transformers 5.17 writes the second
    stored = load_file(tmp_path / "model.safetensors")
    assert any(f"{inner}.{name}" in stored for name in names) == qv_bias

    ours = load(tmp_path)

    assert_same_logits(ours, theirs)
    parameters = dict(theirs.named_parameters())
    wanted = sum(one.numel() for name, one in parameters.items() if not name.endswith("key.bias"))
    assert sum(one.numel() for one in ours.network.parameters()) == wanted


def test_a_bias_of_the_keys_changes_no_answer_of_a_videomae(tmp_path):
    """Transformers 5.17 has one and writes it."""
    theirs = videomae(num_labels=3)
    state = {name: value.contiguous() for name, value in theirs.state_dict().items()}
    inner = "videomae.encoder.layer.{}.attention.attention.key.bias"
    biases = {inner.format(i): torch.randn(SIZES["hidden_size"]) for i in range(SIZES["num_hidden_layers"])}
    for name, bias in biases.items():
        layer = theirs.get_submodule(name.removesuffix(".bias"))
        layer.bias = torch.nn.Parameter(bias)
    theirs.save_pretrained(tmp_path)
    save_file(state | biases, tmp_path / "model.safetensors")

    assert_same_logits(load(tmp_path), theirs)


@pytest.mark.parametrize("eps", [1e-12, 1e-3])
def test_a_videomae_whose_last_norm_has_an_epsilon_of_its_own_says_so(tmp_path, eps):
    """It is 1e-5 in their code whatever the configuration says; smaller ones make no difference that is seen."""
    theirs = videomae(layer_norm_eps=eps, num_labels=3)
    theirs.save_pretrained(tmp_path)

    ours = load(tmp_path)

    said = [line for line in ours.report if line.startswith("norm.eps: 0.001, as layer_norm_eps says")]
    assert len(said) == (eps > 1e-5)
    theirs.fc_norm.eps = ours.network.norm.eps
    assert_same_logits(ours, theirs)


@pytest.mark.parametrize("mean_pooling", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_the_encoder_of_a_pretrained_videomae_gives_the_same_tokens(tmp_path, mean_pooling, whole):
    model = videomae("VideoMAEForPreTraining", use_mean_pooling=mean_pooling)
    (model if whole else model.videomae).save_pretrained(tmp_path)

    ours = load(tmp_path, num_classes=3)

    with torch.no_grad():
        tokens = ours.network.features(video(8), normalized=not mean_pooling).tokens
        wanted = model.videomae(video(8).transpose(1, 2)).last_hidden_state
        torch.testing.assert_close(tokens, wanted, atol=1e-5, rtol=1e-5)
    assert "head: reset, none -> 3" in ours.report
    assert ("norm.weight: starts fresh" in ours.report) == mean_pooling
    assert any(line.startswith("the decoder of pre-training: left out") for line in ours.report) == whole


def test_a_videomae_that_classifies_by_its_first_patch_is_refused(tmp_path):
    videomae(use_mean_pooling=False).save_pretrained(tmp_path)

    with pytest.raises(WeightsError, match="use_mean_pooling=false: it classifies by its first patch"):
        load(tmp_path)


def test_vivits_pixels_become_what_its_processor_makes_of_them(tmp_path):
    """It scales pixels to [-1, 1] before it takes mean and std."""
    vivit().save_pretrained(tmp_path)
    processor = transformers.VivitImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}, image_mean=[0.5] * 3, image_std=[0.4] * 3
    )
    processor.save_pretrained(tmp_path)
    frames = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8)
    wanted = processor(list(frames.numpy()), return_tensors="pt")["pixel_values"]  # (1, T, 3, H, W)

    ours = load(tmp_path)

    torch.testing.assert_close(ours.normalize(frames.transpose(0, 1)[None]), wanted.transpose(1, 2), atol=1e-5, rtol=0)
    assert not any("assumed" in line for line in ours.report)


SMALL_CROP = {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}
PROCESSORS = [
    (SMALL_CROP, None),
    ({"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}, None),
    (SMALL_CROP | {"resample": 3}, r"resize: its processor's is bicubic \(resample=3\), here it is bilinear"),
    (SMALL_CROP | {"do_resize": False}, "resize: its processor leaves frames as large as they are"),
    (SMALL_CROP | {"size": {"shortest_edge": 24}}, "crop: its processor puts black around frames of 24 pixels"),
    (SMALL_CROP | {"size": {"height": 40, "width": 40}}, "resize: its processor squashes frames to 40x40"),
    ({"size": {"height": 32, "width": 32}, "do_center_crop": False}, "resize: its processor squashes frames to 32x32"),
    ({"size": {"shortest_edge": 32}, "do_center_crop": False}, "crop: its processor takes whole frames"),
]


@pytest.mark.parametrize(("options", "note"), PROCESSORS)
@pytest.mark.parametrize("shape", [(48, 65), (70, 51)])
def test_frames_become_what_a_processor_makes_of_them_or_it_is_said(tmp_path, options, note, shape):
    timesformer().save_pretrained(tmp_path)
    processor = transformers.VideoMAEImageProcessor(**options)
    processor.save_pretrained(tmp_path)
    frames = torch.randint(0, 256, (4, 3, *shape), dtype=torch.uint8)
    wanted = processor(list(frames), do_rescale=False, do_normalize=False, return_tensors="pt")["pixel_values"][0]

    ours = load(tmp_path)

    made = preparation_of(ours.config, ours.preprocessing).crops(frames)[0]
    if note is None:
        torch.testing.assert_close(made, wanted.to(torch.uint8), atol=0, rtol=0)
        assert ours.report == []
    else:
        assert made.shape != wanted.shape or not torch.equal(made, wanted.to(torch.uint8))
        assert len(ours.report) == 1
        assert re.match(note, ours.report[0])


@pytest.mark.parametrize("build", [vivit, videomae])
def test_another_length_and_size_give_what_the_network_does_at_run_time(tmp_path, build):
    build().save_pretrained(tmp_path)
    native, other = load(tmp_path), load(tmp_path, num_frames=12, image_size=48)
    clip = torch.randn(1, 3, 12, 48, 48)

    if build is vivit:
        assert other.network.position.table.shape == (1, 1 + 6 * 6 * 6, 32)
        with torch.no_grad():
            torch.testing.assert_close(other.network(clip), native.network(clip), atol=1e-5, rtol=1e-5)
    else:  # its positions are the tokens' numbers
        assert any("sine table counted anew for (6, 6, 6) tokens" in line for line in other.report)
    assert any(line.startswith("position: ") for line in other.report)
