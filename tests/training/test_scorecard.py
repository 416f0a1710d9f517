from pathlib import Path

from vidattn.training.scorecard import print_card


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
