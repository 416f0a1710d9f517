"""Every configuration is a complete run: it parses, its network is built and costed, its data module is built."""

from pathlib import Path

import pytest
import torch
import yaml
from jsonargparse import ArgumentParser

from vidattn.cli import main
from vidattn.comparison.source import task_arguments
from vidattn.data.datamodule import VideoDataModule
from vidattn.training.module import VideoModule
from vidattn.training.video_classifier import VideoClassifier

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
configs = pytest.mark.parametrize("path", CONFIGS, ids=[path.stem for path in CONFIGS])


@configs
def test_the_command_line_takes_it(path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["fit", "--config", str(path), "--print_config"])
    assert end.value.code == 0, capsys.readouterr().err
    taken, written = (
        task_arguments(yaml.safe_load(text)["model"])["network"] for text in (capsys.readouterr().out, path.read_text())
    )
    taken = taken.get("init_args", taken)
    assert taken | written == taken


@configs
def test_it_builds_and_network_and_data_agree(path):
    written = yaml.safe_load(path.read_text())
    parser = ArgumentParser()
    if "class_path" in written["model"]:
        parser.add_subclass_arguments(VideoModule, "model")
    else:
        parser.add_class_arguments(VideoClassifier, "model")
    parser.add_class_arguments(VideoDataModule, "data")
    with torch.device("meta"):
        built = parser.instantiate_classes(parser.parse_object({key: written[key] for key in ("model", "data")}))
    network, data = built.model.network, built.data
    assert data.sampling.num_frames == network.config.num_frames
    assert (data.views.image_size, data.views.image_size) == network.config.size
    assert network.macs(network.config.num_frames, *network.config.size).total > 0
    optimizer = built.model.configure_optimizers()
    decay = {group["weight_decay"] for group in optimizer.param_groups}
    assert decay == {0, optimizer.defaults["weight_decay"]}
    if data.make is not None:
        assert len(data.class_names) == network.config.num_classes


@configs
def test_the_command_on_top_names_the_file(path):
    first = path.read_text().splitlines()[0]
    assert first.startswith(f"# vidattn fit --config configs/{path.name}")
