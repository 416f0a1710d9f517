from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vidattn.data.sections import Views
from vidattn.plots.confusion import plot_confusion
from vidattn.training.report import Report
from vidattn.training.scorecard import Scorecard, print_card
from vidattn.training.write_picture import write_picture


def test_brackets_in_paths_are_shown(capsys):
    card = {
        "clips_per_second": 0.5,
        "videos_with_fewer_views": 2,
        **dict.fromkeys(("videos", "videos_skipped", "parameters", "macs_per_clip", "seed"), 1),
        **dict.fromkeys(("views", "attention", "input", "device", "reader"), "x"),
        "classify": "vidattn classify VIDEO --weights run [v2]/run_0",
    }

    print_card(card, Report({"mAP": 0.5}, {"mean average precision": "50.0%"}, videos=1), Path("run [v2]/run_0"))

    output = capsys.readouterr().out
    assert "scorecard.json is in run [v2]/run_0\n" in output
    assert "50.0%" in output
    assert "1 of 1 videos, 1 skipped" in output
    assert "x; 2 videos have fewer (short or square)" in output
    assert "--weights run [v2]/run_0\n" in output


def test_the_first_batch_which_was_decoded_before_the_clock_ran_does_not_count(tmp_path):
    data = SimpleNamespace(views=Views(num_test_clips=2, num_test_crops=1))
    trainer, scorecard = SimpleNamespace(log_dir=str(tmp_path), datamodule=data), Scorecard()
    for clips, counted in (([4], 4), ([4, 4, 3], 7)):
        scorecard.on_test_start(trainer, None)
        for count in clips:
            scorecard.on_test_batch_start(trainer)
            batch = {"video": torch.zeros(count), "video_id": torch.arange(count) // 2}
            scorecard.on_test_batch_end(trainer, None, None, batch)
        assert scorecard.views == counted
    assert scorecard.short_of_views == 1  # of three, one is alone with its number


@pytest.mark.parametrize("name", ["caf\udce9", "two\nlines", "$x_1$", "\u8d70", "", "_hidden", "\x00\x07", "a" * 300])
def test_whatever_a_class_is_called_the_confusion_is_drawn(tmp_path, name):
    counts = np.eye(2, dtype=int)

    assert write_picture(lambda: plot_confusion(counts, [name, "b"], "title"), tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").stat().st_size > 0


@pytest.mark.parametrize("error", [ValueError("no font"), OSError(28, "No space left on device"), ZeroDivisionError()])
def test_a_picture_that_fails_is_a_warning(tmp_path, error):
    def draw():
        raise error

    with pytest.warns(UserWarning, match=rf"a\.png could not be drawn \({type(error).__name__}"):
        assert not write_picture(draw, tmp_path / "a.png")
