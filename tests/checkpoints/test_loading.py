import dataclasses
import pickle

import pytest
import torch
from small_networks import logits, randomised

from vidattn.checkpoints.loading import load, load_weights
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.sources import timesformer
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing, SamplingRule
from vidattn.training.video_classifier import VideoClassifier

SCHEMES = ["divided", "joint", "space"]


def config(attention="divided", **changes):
    """Two heads of 64, as the official files have them: they do not say how many there are."""
    small = VideoTransformerConfig(
        attention, num_classes=5, num_frames=4, image_size=32, patch_size=8, embed_dim=128, depth=2, num_heads=2
    )
    return dataclasses.replace(small, **changes)


def official_name(ours, names):
    """Their name of our tensor, found by trying every entry of the table: not as the package does it."""
    for name, theirs in names.items():
        for block in range(2):
            layer, source = name.replace("{i}", str(block)), theirs.replace("{i}", str(block))
            for behind in ("", ".weight", ".bias"):
                if layer + behind == ours:
                    return source + behind
    raise AssertionError(ours)


def official_file(path, network, attention):
    """What the official code's trainer writes: `model.` before every name, and the patch layer as a convolution."""
    state = {f"model.{official_name(name, timesformer.SCHEMES[attention])}": value for name, value in state_of(network)}
    assert state["model.patch_embed.proj.weight"].ndim == 4
    torch.save({"epoch": 14, "model_state": state, "optimizer_state": {}, "cfg": "TRAIN: ..."}, path)
    return path


def state_of(network):
    return network.state_dict().items()


def our_file(path, network):
    module = VideoClassifier(network.config)
    module.network.load_state_dict(network.state_dict())
    module.class_names = ["a", "b", "c", "d", "e"]
    module.preprocessing = Preprocessing(SamplingRule("x.Y", {"num_frames": 4}), 32)
    checkpoint = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(checkpoint)
    torch.save(checkpoint, path)
    return path


@pytest.mark.parametrize("attention", SCHEMES)
def test_our_checkpoint_gives_the_same_logits(tmp_path, attention):
    network = randomised(config(attention))

    model = load(our_file(tmp_path / "ours.ckpt", network))

    assert torch.equal(logits(model.network), logits(network))
    assert not model.training
    assert model.config == network.config
    assert model.class_names == ["a", "b", "c", "d", "e"]
    assert model.preprocessing.sampling.init_args == {"num_frames": 4}
    assert model.preprocessing.mean == pytest.approx([0.45] * 3)


def test_our_checkpoint_of_a_wide_picture_gives_the_same_network(tmp_path):
    network = randomised(config(image_size=(16, 32)))

    model = load(our_file(tmp_path / "ours.ckpt", network))

    assert model.config.image_size == (16, 32)
    assert torch.equal(model.network.position.table, network.position.table)


@pytest.mark.parametrize("attention", SCHEMES)
def test_an_official_file_gives_the_same_logits(tmp_path, attention):
    network = randomised(config(attention))

    model = load(official_file(tmp_path / "official.pyth", network, attention))

    assert torch.equal(logits(model.network), logits(network))
    assert model.config.attention == attention
    assert (model.config.num_classes, model.config.depth, model.config.num_heads) == (5, 2, 2)
    assert model.class_names == []
    assert model.preprocessing.to_dict() == {"mean": [0.45] * 3, "std": [0.225] * 3, "image_size": 32}


def test_weights_of_the_same_network_are_taken_over_as_they_are(tmp_path):
    network, target = randomised(config()), build_network(config()).eval()

    assert load_weights(target, config(), our_file(tmp_path / "ours.ckpt", network)).report == []
    assert torch.equal(logits(target), logits(network))


@pytest.mark.parametrize("write", [our_file, lambda path, network: official_file(path, network, "divided")])
def test_another_number_of_classes_resets_the_head_alone(tmp_path, write):
    network, wanted = randomised(config()), config(num_classes=9)
    target = build_network(wanted)
    fresh = {name: value.clone() for name, value in target.state_dict().items()}

    report = load_weights(target, wanted, write(tmp_path / "file", network)).report

    assert report[-1] == "head: reset, 5 classes -> 9"
    for name, value in target.state_dict().items():
        assert torch.equal(value, fresh[name] if name.startswith("head.") else network.state_dict()[name]), name


def test_another_number_of_frames_and_size_resizes_the_tables_alone(tmp_path):
    network, wanted = randomised(config()), config(num_frames=6, image_size=(48, 40))
    target = build_network(wanted)

    report = load_weights(target, wanted, our_file(tmp_path / "ours.ckpt", network)).report

    assert report == [
        "position.table: resized, (4, 4) -> (6, 5), bicubic",
        "time.table: resized, 4 frames -> 6, linear",
    ]
    assert target.position.table.shape == (1, 1 + 6 * 5, 128)
    assert target.time.table.shape == (1, 6, 128)
    for name, value in target.state_dict().items():
        if not name.endswith(".table"):
            assert torch.equal(value, network.state_dict()[name]), name


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    good = our_file(folder / "good.ckpt", randomised(config()))
    whole = good.read_bytes()
    (folder / "empty.ckpt").write_bytes(b"")
    (folder / "text.ckpt").write_text("not a checkpoint at all, only words\n" * 50)
    (folder / "cut.ckpt").write_bytes(whole[: len(whole) // 2])
    (folder / "flipped.ckpt").write_bytes(bytes(byte ^ 255 for byte in whole[:200]) + whole[200:])
    torch.save({"state_dict": {"conv1.weight": torch.zeros(3)}, "epoch": 3}, folder / "foreign.ckpt")
    torch.save([1, 2, 3], folder / "list.ckpt")
    torch.save({"model_state": {"model.stem.weight": torch.zeros(3)}}, folder / "other.pyth")
    missing = torch.load(good, weights_only=True)
    del missing["state_dict"]["network.norm.weight"]
    torch.save(missing, folder / "missing.ckpt")
    newer = torch.load(good, weights_only=True)
    newer["vidattn"]["format"] = 2
    torch.save(newer, folder / "newer.ckpt")
    for name, layers in (("nan", ["norm.weight"]), ("inf", ["norm.weight", "head.bias"])):
        diverged = torch.load(good, weights_only=True)
        for layer in layers:
            diverged["state_dict"][f"network.{layer}"][3] = float(name)
        torch.save(diverged, folder / f"{name}.ckpt")
    return folder


BAD = {
    "nowhere.ckpt": "no such file",
    "": "a folder without config.json",  # the folder itself
    "empty.ckpt": "not a readable checkpoint",
    "text.ckpt": "is no checkpoint",
    "cut.ckpt": "not a readable checkpoint",
    "flipped.ckpt": "is no checkpoint",
    "foreign.ckpt": "nor a ViT, Swin or CoAtNet of timm's; holds state_dict, epoch",
    "list.ckpt": "nor a ViT, Swin or CoAtNet of timm's; holds list",
    "other.pyth": "not an official TimeSformer file",
    "missing.ckpt": "missing: norm.weight",
    "nan.ckpt": "norm.weight holds nan or inf; take a checkpoint from before",
    "inf.ckpt": "norm.weight and 1 more hold nan or inf",
    "newer.ckpt": "format 2 is newer than this vidattn",
}


@pytest.mark.parametrize(("name", "message"), BAD.items())
def test_a_bad_file_is_named_and_leaves_the_network_alone(bad_files, name, message):
    target = build_network(config())
    before = {name: value.clone() for name, value in target.state_dict().items()}

    with pytest.raises(WeightsError, match=message) as error:
        load_weights(target, config(), bad_files / name)
    assert str(bad_files / name) in str(error.value)
    with pytest.raises(WeightsError, match=message):
        load(bad_files / name)

    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())


class Intruder:
    """Unpickled, it would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_with_code_is_refused_and_does_not_run(tmp_path, zipped):
    trace, path = tmp_path / "trace", tmp_path / "evil.ckpt"
    if zipped:
        torch.save({"vidattn": Intruder(trace)}, path)
    else:
        path.write_bytes(pickle.dumps({"vidattn": Intruder(trace)}, protocol=2))

    with pytest.raises(WeightsError, match=r"holds Python objects or code \(_?io\.open\)"):
        load(path)

    assert not trace.exists()


@pytest.mark.parametrize(
    "changes", [{"embed_dim": 64}, {"depth": 3}, {"num_heads": 4}, {"mlp_ratio": 2.0}, {"patch_size": 16}]
)
def test_weights_of_another_size_are_refused_with_what_to_set(tmp_path, changes):
    """The number of heads shows in no shape: taken over silently, it would change every logit."""
    network, wanted = randomised(config()), config(**changes)
    target = build_network(wanted)
    before = target.head.weight.clone()
    ((field, value),) = changes.items()
    saved = getattr(config(), field)

    with pytest.raises(WeightsError, match=rf"sizes differ: {field}={saved} in the file, {value} here") as error:
        load_weights(target, wanted, our_file(tmp_path / "ours.ckpt", network))

    assert f"--model.network.{field} {saved}" in str(error.value)
    assert torch.equal(target.head.weight, before)


def test_an_official_file_leaves_the_number_of_heads_to_the_user(tmp_path):
    network = randomised(config(num_heads=4))

    model = load(official_file(tmp_path / "official.pyth", network, "divided"), num_heads=4)

    assert torch.equal(logits(model.network), logits(network))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resize": "oficial"}, "resize='oficial' is unknown; choose one of smooth, official"),
        ({"inflation": "avrage"}, "inflation='avrage' is unknown; choose one of central, average"),
    ],
)
def test_an_unknown_option_is_refused_with_the_choices(tmp_path, options, message):
    network = randomised(config())
    path = our_file(tmp_path / "ours.ckpt", network)

    with pytest.raises(ValueError, match=message):
        load(path, **options)
    with pytest.raises(ValueError, match=message):
        load_weights(network, network.config, path, **options)
