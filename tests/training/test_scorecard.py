from pathlib import Path
from types import SimpleNamespace

import torch

from vidattn.training.scorecard import Scorecard, print_card


def test_brackets_in_paths_are_shown(capsys):
    card = {
        **dict.fromkeys(("mAP", "clips_per_second"), 0.5),
        **dict.fromkeys(("videos_evaluated", "videos", "videos_skipped", "parameters", "macs_per_clip", "seed"), 1),
        **dict.fromkeys(("views", "attention", "input", "device", "reader"), "x"),
        "classify": "vidattn classify VIDEO --weights run [v2]/run_0",
    }

    print_card(card, Path("run [v2]/run_0"))

    output = capsys.readouterr().out
    assert "scorecard.json is in run [v2]/run_0\n" in output
    assert "--weights run [v2]/run_0\n" in output


def test_the_first_batch_which_was_decoded_before_the_clock_ran_does_not_count(tmp_path):
    trainer, scorecard = SimpleNamespace(log_dir=str(tmp_path)), Scorecard()
    for clips, counted in (([4], 4), ([4, 4, 3], 7)):
        scorecard.on_test_start(trainer, None)
        for count in clips:
            scorecard.on_test_batch_start(trainer)
            scorecard.on_test_batch_end(trainer, None, None, {"label": torch.zeros(count)})
        assert scorecard.views == counted
