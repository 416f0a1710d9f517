"""What `vidattn fit` says before the first step, and what it leaves unsaid."""

import logging

import pytest
import pytorch_lightning as pl
import torch
from tiny_run import config, write_config

from vidattn.cli import main
from vidattn.flops.counting import count
from vidattn.models.config import VideoTransformerConfig
from vidattn.training.freezing import freeze
from vidattn.training.summary import rows
from vidattn.training.video_classifier import VideoClassifier

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_command_says_what_is_trained_and_advertises_nothing(tiny_set, tmp_path, capsys, caplog):
    values = config(tiny_set, tmp_path) | {"test_after_fit": False}
    del values["trainer"]["enable_model_summary"]
    values["trainer"] |= {"callbacks": [{"class_path": "vidattn.training.FrozenBackbone"}], "limit_val_batches": 0}
    values["trainer"] |= {"max_epochs": 1, "limit_train_batches": 1}
    network = VideoTransformerConfig(**values["model"]["network"])

    with caplog.at_level(logging.INFO):
        main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values))])

    shown = capsys.readouterr()
    table = {cells[1].strip(): cells[2].strip() for line in shown.out.splitlines() if len(cells := line.split("│")) > 3}
    assert table["network"] == "divided, 4x32x32"
    assert table["trained"] == f"{16 * 3 + 3 + 2 * 16}: norm, head"
    assert table["MACs per clip"] == f"{network.build().macs(4, 32, 32).total:,} (1 MAC = 2 FLOPs)"
    assert " for 4 clips (weights " in table["memory of a step"]
    said = shown.out + shown.err + caplog.text
    assert "GPU available" in said  # what Lightning says of the run is still said
    for word in ("Tip", "litlogger", "litmodels", "Total FLOPs", "already configured with model summary"):
        assert word not in said


def test_the_advertisement_would_be_said_by_another_trainer(caplog, monkeypatch):
    """Lightning's words are still those that the command leaves out."""
    speaker = logging.getLogger("pytorch_lightning.utilities.rank_zero")
    monkeypatch.setattr(speaker, "filters", [])
    with caplog.at_level(logging.INFO):
        pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_model_summary=False)
    assert "💡 Tip: For seamless cloud" in caplog.text


def test_numbers_are_those_of_the_network():
    network = VideoTransformerConfig(num_frames=4, image_size=32, patch_size=8, embed_dim=16, depth=2, num_heads=2)
    task = VideoClassifier(network)
    parameters = sum(parameter.numel() for parameter in network.build().parameters())

    full = rows(task, 8, torch.float32)
    assert (full["parameters"], full["trained"]) == (f"{parameters:,}", "all of them")
    assert full["memory of a step"].startswith(
        f"{-(-(8 * parameters + count(network, batch=8).activation_bytes) // 2**20)} MiB for 8 clips (weights "
    )

    freeze(task.network)
    frozen = rows(task, 8, torch.float32)
    assert frozen["trained"] == f"{16 * 400 + 400 + 2 * 16:,}: norm, head"
    assert "activations 0 MiB" in frozen["memory of a step"]
