"""Folders that `transformers` writes, loaded by us: same logits, names and pixels."""

import json

import pytest
import torch
from small_networks import SMALL

from vidattn.checkpoints.load import load
from vidattn.checkpoints.names import WeightsError

transformers = pytest.importorskip("transformers", reason="transformers is a test dependency")


def randomised(model):
    torch.manual_seed(0)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
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
    assert ours.preprocessing == {"mean": [0.45] * 3, "std": [0.225] * 3, "image_size": 32}
    assert ours.report == [
        "mean and std: assumed [0.45, 0.45, 0.45] and [0.225, 0.225, 0.225], the folder does not say"
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

    assert ours.preprocessing["mean"] == pytest.approx([0.1, 0.2, 0.3])
    assert ours.preprocessing["std"] == pytest.approx([0.4, 0.5, 0.6])
    assert (ours.preprocessing["image_size"], ours.preprocessing["short_side"]) == (224, 256)
    assert ours.report == []


@pytest.mark.parametrize(
    "changes", [{"image_std": [0, 1, 1]}, {"image_mean": [0.5]}, {"size": "large"}, {"rescale_factor": "x"}]
)
def test_a_processor_that_makes_no_sense_is_named(tmp_path, changes):
    timesformer().save_pretrained(tmp_path)
    edited(tmp_path, "preprocessor_config.json", image_mean=[0.5] * 3, image_std=[0.5] * 3)
    edited(tmp_path, "preprocessor_config.json", **changes)

    with pytest.raises(WeightsError, match=r"preprocessor_config\.json: cannot be understood"):
        load(tmp_path)


def test_a_model_of_another_type_is_refused_by_name(tmp_path):
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=9
    )
    transformers.BertModel(config).save_pretrained(tmp_path)

    with pytest.raises(WeightsError, match="a Hugging Face model of type 'bert'; vidattn reads timesformer"):
        load(tmp_path)


def test_a_configuration_that_does_not_fit_the_weights_names_what_is_in_the_way(tmp_path):
    timesformer().save_pretrained(tmp_path)
    edited(tmp_path, "config.json", num_hidden_layers=1)

    with pytest.raises(WeightsError, match=r"left over: timesformer\.encoder\.layer\.1\."):
        load(tmp_path)


def test_another_activation_is_refused(tmp_path):
    timesformer().save_pretrained(tmp_path)
    edited(tmp_path, "config.json", hidden_act="silu")

    with pytest.raises(WeightsError, match="hidden_act='silu' is not one that vidattn has: gelu"):
        load(tmp_path)
