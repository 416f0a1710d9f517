import re

import pytest
import torch
from tiny_run import write_config
from two_label_run import multi_config

from vidattn.cli import main
from vidattn.training.objective import MultiLabel


def test_smoothed_targets_lie_half_the_smoothing_inside():
    logits, targets = torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]])
    p = logits.sigmoid()

    expected = -(torch.tensor([[0.95, 0.05]]) * p.log() + torch.tensor([[0.05, 0.95]]) * (1 - p).log()).mean()
    torch.testing.assert_close(MultiLabel(label_smoothing=0.1).loss(logits, targets), expected)


def test_lists_and_objective_must_agree(two_labels, tmp_path, capsys):
    values = multi_config(two_labels, tmp_path)
    del values["model"]["objective"]

    with pytest.raises(SystemExit):
        main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values))])

    assert re.search(r"several labels a video; set --model\.objective .*MultiLabel", capsys.readouterr().err)
