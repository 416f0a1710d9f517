import json
import re

import pytest
import torch
from huggingface_hub import ModelCard
from small_networks import logits, small_model

import vidattn
from vidattn.checkpoints.loading import load
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checkpoints.renaming import WeightsError
from vidattn.models import VideoTransformerConfig, build_network
from vidattn.preprocessing import Preprocessing


@pytest.mark.parametrize("attention", ["divided", "joint", "space", "time+window(2,2,2)", "space>time(2)", "space+peg"])
@pytest.mark.parametrize("read", [load, Pretrained.from_pretrained])
def test_what_is_saved_gives_the_same_logits_names_and_preprocessing(tmp_path, attention, read):
    model = small_model(attention)
    model.save_pretrained(tmp_path)

    loaded = read(tmp_path)

    assert torch.equal(logits(loaded.network), logits(model.network))
    assert loaded.config == model.config
    assert loaded.class_names == model.class_names
    assert loaded.preprocessing == model.preprocessing
    assert loaded.report == []
    assert not loaded.training


def test_a_folder_holds_the_configuration_the_weights_and_a_card(tmp_path):
    small_model().save_pretrained(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["vidattn"]["network"]["attention"] == "divided"
    assert written["id2label"]["4"] == "e"
    card = ModelCard.load(tmp_path / "README.md")
    assert card.data.library_name == "vidattn"
    assert card.data.pipeline_tag == "video-classification"
    assert "4 frames of 32 x 32 pixels" in card.text
    assert "a, b, c, d, e" in card.text


def test_the_weights_alone_are_enough(tmp_path):
    model = small_model()
    model.save_pretrained(tmp_path)
    alone = (tmp_path / "model.safetensors").rename(tmp_path / "moved.safetensors")

    loaded = load(alone)

    assert torch.equal(logits(loaded.network), logits(model.network))
    assert loaded.class_names == model.class_names


def test_pixels_are_normalised_by_the_models_own_mean_and_std():
    model = small_model()
    video = torch.randint(0, 256, (1, 3, 4, 32, 32), dtype=torch.uint8)
    mean, std = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.2, 0.3, 0.4])
    pixels = (video / 255 - mean.view(3, 1, 1, 1)) / std.view(3, 1, 1, 1)

    with torch.no_grad():
        torch.testing.assert_close(model(video), model.network(pixels))


def test_other_frames_and_another_size_change_what_is_fed_to_the_network(tmp_path):
    small_model().save_pretrained(tmp_path)

    model = load(tmp_path, num_frames=8, image_size=48)

    assert model.config.num_frames == 8
    assert model.preprocessing.image_size == 48
    assert model.preprocessing.sampling.init_args == {"num_frames": 8, "frame_stride": 2}
    assert model.class_names == ["a", "b", "c", "d", "e"]


def test_another_head_has_no_names(tmp_path):
    small_model().save_pretrained(tmp_path)

    model = load(tmp_path, num_classes=7)

    assert model.class_names == []
    assert model.report == ["head: reset, 5 classes -> 7"]


def test_a_field_that_no_configuration_has_is_an_error(tmp_path):
    small_model().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"num_frame=8: a network has no such field; did you mean 'num_frames'\?"):
        load(tmp_path, num_frame=8)


def test_the_folder_of_a_run_stands_for_its_best_weights(tmp_path):
    model = small_model()
    model.save_pretrained(tmp_path / "saved")
    (tmp_path / "run_0" / "checkpoints").mkdir(parents=True)
    (tmp_path / "saved" / "model.safetensors").rename(tmp_path / "run_0" / "checkpoints" / "best.ckpt")

    assert torch.equal(logits(load(tmp_path / "run_0").network), logits(model.network))


def test_a_description_that_was_damaged_is_named(tmp_path):
    small_model().save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    del written["vidattn"]["network"]["attention"]
    written["vidattn"]["network"]["attentoin"] = "divided"
    (tmp_path / "config.json").write_text(json.dumps(written))

    with pytest.raises(WeightsError, match=r"its description of the network cannot be read .*attentoin") as error:
        load(tmp_path)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": None}, "its preprocessing has no mean; wanted a number for each of red, green and blue"),
        ({"mean": [0.5]}, r"its preprocessing has mean=\[0\.5\]: wanted a number for each of red, green and blue"),
        ({"std": 0.5}, r"its preprocessing has std=0\.5: wanted a number for each"),
        ({"std": [0.5, 0.5, 0.0]}, r"its preprocessing has std=\(0\.5, 0\.5, 0\.0\) must be positive"),
        ({"short_side": "256"}, "its preprocessing has short_side='256'; wanted pixels"),
        ({"sampling": "UniformSampling"}, "its preprocessing has sampling='UniformSampling'; wanted class_path"),
        ({"sampling": {"class_path": "x.Y"}}, r"its preprocessing has sampling={'class_path': 'x\.Y'}; .* init_args"),
    ],
)
def test_preprocessing_that_was_damaged_is_named_with_what_was_wanted(tmp_path, changes, message):
    small_model().save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    stored = written["vidattn"]["preprocessing"] | changes
    written["vidattn"]["preprocessing"] = {name: value for name, value in stored.items() if value is not None}
    (tmp_path / "config.json").write_text(json.dumps(written))

    with pytest.raises(WeightsError, match=f"^{re.escape(str(tmp_path))}: {message}"):
        load(tmp_path)


def test_the_public_names_are_these():
    assert vidattn.load is load
    assert vidattn.Pretrained is Pretrained


@pytest.mark.parametrize("block", ["cbam", "mbconv", "non_local"])
def test_a_block_that_counts_its_batches_is_saved_and_loaded(block, tmp_path):
    """A batch norm holds a whole number beside its weights."""
    network = build_network(
        VideoTransformerConfig(
            attention=f"time+{block}", num_classes=3, num_frames=2, image_size=32, patch_size=16, embed_dim=16, depth=1,
            num_heads=2, pooling="mean",
        )
    )  # fmt: skip
    clips = torch.randn(2, 3, 2, 32, 32)
    network.train()(clips)
    assert any(not value.is_floating_point() for value in network.state_dict().values())
    Pretrained(network.eval(), [], Preprocessing(mean=(0.5,) * 3, std=(0.5,) * 3)).save_pretrained(tmp_path)

    loaded = load(tmp_path).network

    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    assert torch.equal(loaded(clips), network(clips))
