from dataclasses import replace

import pytest

from vidattn.preprocessing import Preprocessing, SamplingRule

STORED = {  # as checkpoints of the first format hold it
    "sampling": {
        "class_path": "vidattn.data.sampling.StrideSampling",
        "init_args": {"num_frames": 8, "frame_stride": 32},
    },
    "image_size": 224,
    "mean": [0.45, 0.45, 0.45],
    "std": [0.225, 0.225, 0.225],
    "short_side": 256,
    "crop_rounding": "down",
    "multi_label": True,
}


def test_what_a_checkpoint_holds_is_read_and_written_as_it_is():
    assert Preprocessing.from_dict(STORED).to_dict() == STORED


@pytest.mark.parametrize("unknown", STORED)
def test_what_is_not_known_is_not_written(unknown):
    known = {name: value for name, value in STORED.items() if name != unknown}

    assert Preprocessing.from_dict(known).to_dict() == known


def test_a_rule_is_told_as_it_is_written_in_python():
    old, new = "vidattn.data.sampling.StrideSampling", "vidattn.data.StrideSampling"

    assert [str(SamplingRule(path, {"num_frames": 8})) for path in (old, new)] == ["StrideSampling(num_frames=8)"] * 2
    assert str(SamplingRule("mine.Rule", {"frames": 2})) == "mine.Rule(frames=2)"


def test_lists_of_a_file_and_tuples_of_code_are_the_same_value():
    stored = {"mean": [0.5] * 3, "std": [0.5] * 3, "image_size": [224, 320]}
    assert Preprocessing.from_dict(stored) == Preprocessing(None, (224, 320), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": "224"}, "image_size='224'; wanted pixels, a whole number, or height and width"),
        ({"crop_rounding": "dwon"}, "crop_rounding='dwon'; wanted up or down"),
        ({"std": (0.5, 0.5, -0.5)}, r"std=\(0\.5, 0\.5, -0\.5\) must be positive"),
        ({"mean": (0.5, "a", 0.5)}, "mean=.*: wanted a number for each of red, green and blue"),
    ],
)
def test_values_of_another_kind_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing.from_dict(STORED | changes)


def test_mean_and_std_that_nobody_knows_are_not_made_up():
    with pytest.raises(ValueError, match="no std; wanted a number for each"):
        _ = replace(Preprocessing.from_dict(STORED), std=None).pixels
