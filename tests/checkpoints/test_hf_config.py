import json
import re

import pytest
import torch
from foreign_folders import HF, hf_folder, hf_model, timm_folder
from safetensors.torch import save_file

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.renaming import WeightsError

timm = pytest.importorskip("timm", reason="timm is a test dependency")
transformers = pytest.importorskip("transformers", reason="transformers is a test dependency")


def tried(do):
    """What it gives, or None and the message of its ValueError; nothing else may come out."""
    try:
        return do(), ""
    except ValueError as error:
        return None, str(error)


OTHER_VALUES = {
    **{
        f"{kind} {key}={value}": (kind, {key: value})
        for kind in HF
        for key, value in {
            "hidden_act": "gelu_new",
            "layer_norm_eps": 1e-5,
            "qkv_bias": False,
            "num_attention_heads": 2,
            "initializer_range": 0.5,
            "hidden_dropout_prob": 0.3,
            "attention_probs_dropout_prob": 0.3,
        }.items()
    },
    "relu": ("vit", {"hidden_act": "relu"}),
    "quick gelu": ("videomae", {"hidden_act": "quick_gelu"}),
    "wide": ("vit", {"image_size": [16, 64]}),
    "wide video": ("videomae", {"image_size": [16, 64]}),
    "wide tubelets": ("vivit", {"image_size": [16, 64]}),
    "a size that patches do not divide": ("vit", {"image_size": 37}),
    "frames that tubelets do not divide": ("videomae", {"num_frames": 5}),
    "first token": ("videomae", {"use_mean_pooling": False}),
    "joint": ("timesformer", {"attention_type": "joint_space_time"}),
    "drop path": ("timesformer", {"drop_path_rate": 1}),
    "pooler": ("vit", {"pooler_act": "relu"}),
    "grey pictures": ("vit", {"num_channels": 1}),
}


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_another_value_in_hugging_faces_configuration_gives_its_logits_or_is_refused(tmp_path, name):
    kind, changes = OTHER_VALUES[name]
    theirs = hf_model(kind, **changes)
    theirs.save_pretrained(tmp_path)
    scheme = {"attention": "space"} if kind == "vit" else {}
    ours, said = tried(lambda: load(tmp_path, **scheme))
    if ours is None:
        assert re.search(rf"{next(iter(changes))}=", said)
        return
    torch.manual_seed(1)
    size = theirs.config.image_size
    height, width = (size, size) if isinstance(size, int) else size
    clip = torch.randn(2, 3, getattr(theirs.config, "num_frames", 1), height, width)
    with torch.no_grad():
        wanted = theirs(clip[:, :, 0] if kind == "vit" else clip.transpose(1, 2)).logits
        seen_height, seen_width = ours.config.size
        seen = clip[:, :, : ours.config.num_frames, :seen_height, :seen_width]
        torch.testing.assert_close(ours.network(seen), wanted, atol=1e-5, rtol=1e-4)
    if seen.shape != clip.shape:
        assert any("of which its patches of" in line and "see the first" in line for line in ours.report)


@pytest.mark.parametrize("kind", HF)
def test_a_key_of_hugging_faces_that_nobody_knows_is_refused_by_name(tmp_path, kind):
    hf_folder(tmp_path, kind)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"use_rope": True, "_note": "mine", "layer_scale": None}))

    with pytest.raises(WeightsError, match=r"config\.json: use_rope=True; wanted only keys that vidattn knows"):
        load(tmp_path)


def test_weights_that_were_quantised_are_refused(tmp_path):
    hf_folder(tmp_path, "vit")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"quantization_config": {"bits": 8}}))

    with pytest.raises(WeightsError, match=r"quantization_config={'bits': 8}; wanted weights that were not quantised"):
        load(tmp_path)


def test_numbers_that_are_no_floats_are_no_weights(tmp_path):
    theirs = timm_folder(tmp_path)
    state = theirs.state_dict() | {"blocks.0.mlp.fc1.weight": torch.ones(128, 32, dtype=torch.int8)}
    save_file(state, tmp_path / "model.safetensors")

    with pytest.raises(WeightsError, match=r"type: blocks\.0\.mlp\.fc1\.weight is torch\.int8, wanted floats"):
        load(tmp_path)


NAMES = [
    (None, None),
    ({}, None),
    ([], None),
    (["walk", "run", "sit"], ["walk", "run", "sit"]),
    ({"0": "walk", "2": "sit", "1": "run"}, ["walk", "run", "sit"]),
    (
        {"1": "walk", "2": "run", "3": "sit"},
        "has 3 names, numbered 1 to 3; wanted a name for each of 0 to 2: edit or remove",
    ),
    ({"0": "walk", "1": "run"}, "has 2 names, numbered 0 to 1"),
    ({"0": "walk", "1": "run", "2": "sit", "3": "fall"}, "has 4 names, numbered 0 to 3"),
    ({"0": "walk", "1": None, "2": "sit"}, "is {'0': 'walk', '1': None"),
    ({"walk": 0, "run": 1, "sit": 2}, "is {'walk': 0"),
    ("walk, run, sit", "is 'walk, run, sit'"),
    (3, "is 3"),
    ([["walk"], "run", "sit"], "is {0: \\['walk'\\]"),
]


@pytest.mark.parametrize(("given", "wanted"), NAMES)
def test_a_fault_of_names_blocks_no_weights_and_is_said_with_the_numbers_found(tmp_path, given, wanted):
    hf_folder(tmp_path, "vit")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"id2label": given}))

    model = load(tmp_path)

    said = [line for line in model.report if line.startswith("class names")]
    if isinstance(wanted, str):
        assert model.class_names == []
        assert len(said) == 1
        assert re.search(f"not taken over; id2label in config.json {wanted}", said[0])
    else:
        assert (model.class_names, said) == (wanted or [], [])
