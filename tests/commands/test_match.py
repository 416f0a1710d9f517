"""`vidattn compare --match`: the configurations that it writes."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from vidattn.cli import main
from vidattn.commands.match import with_network
from vidattn.comparison.matching import parameters
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import preset

CONFIG = Path(__file__).parents[2] / "configs" / "motion_divided.yaml"


SMALL = preset("Ti", depth=4, image_size=64)


def test_the_command_writes_configurations_that_build(tmp_path, capsys):
    main(["compare", "joint", "space|time", "--match", "params", "--by", "width", "--config",
          str(CONFIG), "--out", str(tmp_path / "fair")])  # fmt: skip

    values = yaml.safe_load((tmp_path / "fair" / "space%7Ctime.yaml").read_text())
    network = VideoTransformerConfig(**values["model"]["network"])
    base = yaml.safe_load(CONFIG.read_text())
    first = VideoTransformerConfig(**base["model"]["network"] | {"attention": "joint"})
    assert parameters(network) == pytest.approx(parameters(first), rel=0.05)
    assert network.attention == "space|time"
    assert values["data"] == base["data"] | {"views": base["data"]["views"] | {"image_size": 32}}
    assert values["trainer"]["default_root_dir"] == "outputs/fair/space%7Ctime"
    assert "params, ratio" in capsys.readouterr().out


def test_frames_are_changed_in_the_clips_as_well():
    values = {"data": {"image_size": 64, "sampling": {"class_path": "x", "init_args": {"num_frames": 8}}}}
    changed = with_network(values, replace(SMALL, num_frames=5), "run")
    assert changed["data"]["sampling"]["init_args"]["num_frames"] == changed["model"]["network"]["num_frames"] == 5
    assert changed["data"]["views"] == {"image_size": 64}
    assert values["data"]["sampling"]["init_args"]["num_frames"] == 8


def test_no_configuration_of_oblong_clips_is_written(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["compare", "joint", "space", "--match", "macs", "--config", str(CONFIG), "--size", "32x64",
              "--out", str(tmp_path / "fair")])  # fmt: skip
    assert "vidattn fit takes square clips, and these are 32x64" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (
            {"trainer": None, "data": None},
            {"trainer": {"default_root_dir": "outputs/r"}, "data": {"views": {"image_size": 32}}},
        ),
        ({"data": {"batch_size": 4}}, {"data": {"loading": {"batch_size": 4}, "views": {"image_size": 32}}}),
        (
            {"data": {"sampling": "my.Rule"}},
            {
                "data": {
                    "sampling": {"class_path": "my.Rule", "init_args": {"num_frames": 4}},
                    "views": {"image_size": 32},
                }
            },
        ),
    ],
)
def test_a_configuration_that_says_little_keeps_to_that(values, wanted):
    config = VideoTransformerConfig(num_frames=4, image_size=32, patch_size=16)
    changed = with_network(values, config, "r")
    assert changed.pop("model")["network"]["num_frames"] == 4
    assert changed == wanted
