"""A network of a user's own, by its import path: trained from YAML, tested, resumed, counted and loaded."""

import pytest
import torch
import yaml
from own_network import OwnConfig, clips
from tiny_run import column, config, write_config

from vidattn import load
from vidattn.cli import main
from vidattn.flops import count

pytestmark = pytest.mark.usefixtures("one_thread")
NETWORK = {
    "class_path": "own_network.OwnConfig",
    "init_args": {"widths": [8, 16], "attention": ["window(2,2,2)", "joint"]},
}


@pytest.fixture(scope="module")
def trained(tiny_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    values = config(tiny_set, folder)
    values["model"]["network"] = NETWORK
    main(["fit", "--config", str(write_config(folder / "config.yaml", values))])
    return folder / "run_0"


def test_it_trains_is_tested_and_loads_as_what_it_was(trained):
    assert len(column(trained, "val/video_top1")) == 2
    assert (trained / "scorecard.json").exists()
    again = load(trained)
    assert again.config == OwnConfig(widths=(8, 16), attention=("window(2,2,2)", "joint"))
    assert again.network(clips()).shape == (2, 3)
    assert count(again.network).macs == again.network.macs(4, 32, 32).total


def test_it_goes_on_from_its_last_checkpoint(trained):
    main(["fit", "--config", str(trained / "config.yaml"), "--ckpt_path", str(trained / "checkpoints" / "last.ckpt"),
          "--trainer.max_epochs", "3", "--test_after_fit", "false"])  # fmt: skip
    state = torch.load(trained.parent / "run_1" / "checkpoints" / "last.ckpt", weights_only=True)
    assert state["epoch"] == 2
    assert state["vidattn"]["kind"] == "own_network.OwnConfig"


def test_its_kind_stands_in_the_runs_configuration_and_its_cost_is_told(trained, capsys):
    written = yaml.safe_load((trained / "config.yaml").read_text())["model"]["network"]
    assert written["class_path"] == NETWORK["class_path"]
    main(["flops", str(trained / "config.yaml")])
    assert "WindowAttention3D" in capsys.readouterr().out
