"""Configurations and checkpoints of before the classes moved are read as they were."""

import re
from pathlib import Path

import pytest
import yaml

from vidattn.classify.preparation import preparation_of
from vidattn.cli import main
from vidattn.data import StrideSampling
from vidattn.models import VideoTransformerConfig
from vidattn.old_names import renewed
from vidattn.preprocessing import Preprocessing, SamplingRule

CONFIGS = Path(__file__).parents[1] / "configs"
THEN = {
    "FrozenBackbone": "vidattn.training.freezing",
    "MotionSet": "vidattn.data.synthetic",
    "MultiLabel": "vidattn.training.objective",
    "SecondsSampling": "vidattn.data.sampling",
    "ShortSideJitter": "vidattn.data.transforms",
    "Steps": "vidattn.training.schedule",
    "StrideSampling": "vidattn.data.sampling",
    "UniformSampling": "vidattn.data.sampling",
    "WarmupCosine": "vidattn.training.schedule",
}


def as_then(text):
    return re.sub(r"vidattn\.(?:data|training)\.(\w+)", lambda match: f"{THEN[match[1]]}.{match[1]}", text)


@pytest.mark.parametrize("name", ["motion_divided", "ssv2_divided", "probe_folder"])
def test_a_configuration_of_then_is_taken_and_written_anew_with_the_public_names(name, tmp_path, capsys):
    now = (CONFIGS / f"{name}.yaml").read_text()
    then = tmp_path / "then.yaml"
    then.write_text(as_then(now))
    assert then.read_text() != now
    taken = []
    for path in (then, CONFIGS / f"{name}.yaml"):
        with pytest.raises(SystemExit) as end:
            main(["fit", "--config", str(path), "--print_config"])
        assert end.value.code == 0, capsys.readouterr().err
        taken.append(yaml.safe_load(capsys.readouterr().out))

    assert taken[0] == taken[1]
    assert taken[0]["data"]["sampling"]["class_path"].startswith("vidattn.data.")


def test_a_class_of_then_is_taken_on_the_command_line(capsys):
    objective = "--model.objective=vidattn.training.objective.MultiLabel"
    with pytest.raises(SystemExit):
        main(["fit", "--config", str(CONFIGS / "motion_divided.yaml"), objective, "--print_config"])

    assert yaml.safe_load(capsys.readouterr().out)["model"]["objective"]["class_path"] == "vidattn.training.MultiLabel"


def test_a_checkpoints_rule_of_then_is_the_rule_of_now():
    rule = SamplingRule("vidattn.data.sampling.StrideSampling", {"num_frames": 4, "frame_stride": 2})
    stored = Preprocessing(rule, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))

    assert preparation_of(VideoTransformerConfig(num_frames=4), stored).sampling == StrideSampling(4, 2)
    assert str(rule) == "StrideSampling(num_frames=4, frame_stride=2)"


def test_only_the_classes_of_those_modules_are_renamed():
    for text in (
        "vidattn.data.sampling",
        "my.vidattn_data.sampling.Rule",
        "vidattn.attention.linear.JointLinearAttention",
    ):
        assert renewed(text) == text
