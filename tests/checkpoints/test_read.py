import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_networks import logits, random_network, small_model

from vidattn.checkpoints.loading import load, load_weights
from vidattn.checkpoints.read import read_checkpoint
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.sources import timesformer
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network


def shifted(model, by):
    """The same model with another bias of its head, by which it is told."""
    with torch.no_grad():
        model.network.head.bias.fill_(by)
    return model


def told(source):
    """What `shifted` wrote."""
    return load(source).network.head.bias[0].item()


def our_checkpoint(path, by):
    """What `vidattn fit` writes."""
    model = shifted(small_model(), by)
    about = {
        "format": 1,
        "network": model.config.to_dict(),
        "class_names": [],
        "preprocessing": model.preprocessing.to_dict(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {f"network.{name}": value for name, value in model.network.state_dict().items()}
    torch.save({"state_dict": state, "vidattn": about}, path)


@pytest.fixture
def full(tmp_path):
    """A run's folder into which a model was saved, with its weights pickled and in pieces as well."""
    our_checkpoint(tmp_path / "checkpoints" / "best.ckpt", 1)
    our_checkpoint(tmp_path / "checkpoints" / "last.ckpt", 2)
    shifted(small_model(), 3).save_pretrained(tmp_path)
    for by, name in ((4, "pytorch_model.bin"), (5, "other.bin"), (6, "weights.pt")):
        torch.save(shifted(small_model(), by).network.state_dict(), tmp_path / name)
    state = shifted(small_model(), 7).network.state_dict()
    save_file(state, tmp_path / "piece.safetensors")
    pieces = {"weight_map": dict.fromkeys(state, "piece.safetensors")}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(pieces))
    return tmp_path


NAMED = {
    "checkpoints/best.ckpt": 1,
    "checkpoints/last.ckpt": 2,
    "model.safetensors": 3,
    "pytorch_model.bin": 4,
    "other.bin": 5,
    "weights.pt": 6,
    "model.safetensors.index.json": 7,
    "piece.safetensors": 7,
}


@pytest.mark.parametrize("name", NAMED)
def test_a_file_that_is_named_is_the_one_that_is_read(full, name):
    assert told(full / name) == NAMED[name]


def test_of_a_folder_the_model_saved_in_it_is_read_and_the_others_are_told(full):
    model = load(full)

    assert model.network.head.bias[0] == 3
    assert model.report == [
        "weights: those of model.safetensors; name another file of the folder to read it: "
        "model.safetensors.index.json, pytorch_model.bin, checkpoints/best.ckpt"
    ]


def test_each_next_best_of_a_folder_is_read_when_the_better_one_is_gone(full):
    order = [("model.safetensors", 3), ("model.safetensors.index.json", 7), ("pytorch_model.bin", 4)]
    for name, by in order:
        assert told(full) == by
        (full / name).unlink()
    assert told(full) == 1
    assert load(full).report == []


def test_a_model_that_is_converted_into_the_folder_of_a_run_is_what_that_folder_is(tmp_path):
    from vidattn.cli import main

    our_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt", 2)
    our_checkpoint(tmp_path / "other" / "checkpoints" / "best.ckpt", 1)

    main(["convert", str(tmp_path / "run" / "checkpoints" / "last.ckpt"), "--out", str(tmp_path / "other")])

    assert told(tmp_path / "other") == told(tmp_path / "other" / "model.safetensors") == 2


def test_the_description_in_a_file_goes_before_the_one_beside_it(tmp_path):
    """A file that was copied into another model's folder."""
    small_model("joint").save_pretrained(tmp_path / "joint")
    small_model("space").save_pretrained(tmp_path / "space")
    moved = (tmp_path / "joint" / "model.safetensors").rename(tmp_path / "space" / "mine.safetensors")

    assert load(moved).config.attention == "joint"


def test_a_configuration_is_no_weights(tmp_path):
    small_model().save_pretrained(tmp_path)

    with pytest.raises(WeightsError, match=r"config\.json: a configuration, no weights; give its folder"):
        load(tmp_path / "config.json")


def official(path, image_size):
    """A file of the official code, of random weights at this size, and the network that they are of."""
    config = VideoTransformerConfig(
        "divided", num_classes=5, num_frames=4, image_size=image_size, patch_size=8, embed_dim=64, depth=1, num_heads=1
    )
    network = build_network(config).eval()
    state = {}
    for ours, value in network.state_dict().items():
        layer = ours.replace("blocks.0.", "blocks.{i}.")
        name = (
            timesformer.DIVIDED.get(layer)
            or timesformer.DIVIDED[layer.rpartition(".")[0]] + "." + ours.rpartition(".")[2]
        )
        state[f"model.{name.replace('{i}', '0')}"] = value
    torch.save({"model_state": state}, path)
    return network


def wide_logits(network, height=16, width=64):
    torch.manual_seed(1)
    with torch.no_grad():
        return network(torch.randn(2, 3, 4, height, width))


def test_a_square_that_is_assumed_is_said(tmp_path):
    official(tmp_path / "x.pyth", 32)

    assert "image_size: assumed square, 32x32; the file does not say" in load(tmp_path / "x.pyth").report
    assert not any("image_size" in line for line in load(tmp_path / "x.pyth", image_size=32).report)


@pytest.mark.parametrize("asked", [(16, 64), [16, 64], (64, 16)])
def test_the_size_that_is_asked_for_is_the_grid_where_it_has_as_many_places(tmp_path, asked):
    network = official(tmp_path / "x.pyth", tuple(asked))

    model = load(tmp_path / "x.pyth", image_size=asked)

    assert torch.equal(wide_logits(model.network, *asked), wide_logits(network, *asked))
    assert model.report[0] == f"image_size: taken as {asked[0]}x{asked[1]}, as asked for; the file has as many places"
    assert not any("resized" in line for line in model.report)


def test_a_network_that_is_filled_asks_for_its_own_size(tmp_path):
    network = official(tmp_path / "x.pyth", (16, 64))
    target = build_network(network.config).eval()

    report = load_weights(target, network.config, tmp_path / "x.pyth").report

    assert torch.equal(wide_logits(target), wide_logits(network))
    assert any("taken as 16x64, as asked for" in line for line in report)


def test_another_size_is_resized_from_the_square(tmp_path):
    official(tmp_path / "x.pyth", 32)

    report = load(tmp_path / "x.pyth", image_size=(16, 48)).report

    assert "image_size: assumed square, 32x32; the file does not say" in report
    assert "position.table: resized, (4, 4) -> (2, 6), bicubic" in report


def test_a_number_of_places_that_is_no_square_asks_for_the_size(tmp_path):
    network = official(tmp_path / "x.pyth", (16, 40))

    with pytest.raises(WeightsError, match=r"x\.pyth: its table of positions is for 10 patches, .* give image_size="):
        load(tmp_path / "x.pyth")
    with pytest.raises(WeightsError, match=r"give image_size="):
        load(tmp_path / "x.pyth", image_size=32)
    assert torch.equal(
        wide_logits(load(tmp_path / "x.pyth", image_size=(16, 40)).network, 16, 40), wide_logits(network, 16, 40)
    )


def test_convert_takes_height_and_width(tmp_path):
    from vidattn.cli import main

    official(tmp_path / "x.pyth", (16, 40))
    main(["convert", str(tmp_path / "x.pyth"), "--out", str(tmp_path / "out"), "--image-size", "16x40"])

    assert load(tmp_path / "out").config.size == (16, 40)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("changes", [{"image_size": 48}, {"num_frames": 6}, {"position": "token"}, {"tubelet_size": 2}])
def test_weights_in_half_precision_are_rounded_once_and_not_again(tmp_path, dtype, changes):
    """What is made of them is what is made of the same numbers in fp32."""
    small_model().save_pretrained(tmp_path / "half")
    path = tmp_path / "half" / "model.safetensors"
    state = {name: value.to(dtype) for name, value in load_file(path).items()}
    save_file(state, path)
    small_model().save_pretrained(tmp_path / "full")
    save_file({name: value.float() for name, value in state.items()}, tmp_path / "full" / "model.safetensors")

    half, full = load(tmp_path / "half", **changes), load(tmp_path / "full", **changes)

    for name, value in full.network.state_dict().items():
        if not name.startswith("head"):
            assert torch.equal(half.network.state_dict()[name], value), name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_network_in_half_precision_resizes_its_tables_in_fp32(dtype):
    network = random_network()
    whole = network.position.table.to(dtype).float()
    grid = network.config.grid(4, 48, 48)

    network.position.table.data = whole
    wanted = network.position(grid)
    made = network.to(dtype).position(grid)

    assert torch.equal(made, wanted.to(dtype))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_frames": "16"}, r"num_frames='16' is of type str; wanted a whole number"),
        ({"num_frames": 16.0}, r"num_frames=16\.0 is of type float; wanted a whole number"),
        ({"num_frames": True}, r"num_frames=True is of type bool; wanted a whole number"),
        ({"num_classes": None}, r"num_classes=None is of type NoneType; wanted a whole number"),
        ({"image_size": "224"}, r"image_size='224' is of type str; wanted a whole number, or \(height, width\)"),
        ({"image_size": (224,)}, r"image_size=\(224,\) is of type tuple; wanted a whole number, or"),
        ({"image_size": [16, "x"]}, r"image_size=\(16, 'x'\) is of type tuple; wanted a whole number, or"),
        ({"mlp_ratio": "4"}, r"mlp_ratio='4' is of type str; wanted a number"),
        ({"attention": 3}, r"attention=3 is of type int; wanted text"),
        ({"attention": ["time"]}, r"attention=.* wanted text"),
        ({"gradient_checkpointing": "no"}, r"gradient_checkpointing='no' is of type str; wanted True or False"),
        ({"in_channels": 2}, r"in_channels=2: a network has no such field; there are attention, num_classes"),
        ({"image_sise": 32}, r"image_sise=32: a network has no such field; did you mean 'image_size'\?"),
    ],
)
def test_values_are_checked_at_the_door(tmp_path, changes, message):
    small_model().save_pretrained(tmp_path)

    with pytest.raises(ValueError, match=message):
        load(tmp_path, **changes)


def test_whole_numbers_of_numpy_are_whole_numbers(tmp_path):
    import numpy as np

    small_model().save_pretrained(tmp_path)

    assert logits(load(tmp_path, num_frames=np.int64(6)).network, frames=6).isfinite().all()
    assert read_checkpoint(tmp_path).config.num_frames == 4
