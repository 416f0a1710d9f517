import json

import pytest
from tiny_run import column, write_config
from two_label_run import multi_config

from vidattn import load
from vidattn.cli import main


def test_several_classes_a_video_are_learnt_and_scored(two_labels, tmp_path, capsys):
    main(["fit", "--config", str(write_config(tmp_path / "c.yaml", multi_config(two_labels, tmp_path)))])

    losses = column(tmp_path / "run_0", "train/loss_epoch")
    assert losses[-1] < 0.9 * losses[0]
    scores = column(tmp_path / "run_0", "val/mAP")
    assert all(0 < score <= 1 for score in scores)
    card = json.loads((tmp_path / "run_0" / "scorecard.json").read_text())
    assert card["mAP"] == pytest.approx(max(scores), abs=1e-4)  # the best weights, on the same videos
    assert load(tmp_path / "run_0" / "checkpoints" / "best.ckpt").preprocessing.multi_label
    assert "mean average precision" in capsys.readouterr().out
