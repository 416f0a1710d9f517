import errno
import os
from types import SimpleNamespace

import pytest

from vidattn.training.predictions import PredictionWriter, show_account, show_answers


def test_a_long_name_is_folded_not_cut(capsys):
    path = "videos/" * 12 + "again.mp4"
    show_answers([{"path": path, "top": [{"class": "dark", "probability": 1.0}]}])

    rows = [line.split("│")[1].strip() for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert "".join(rows) == path


def test_one_answer_is_of_one_video(tmp_path, capsys):
    row = {"path": "a.mp4", "top": [{"class": "dark", "probability": 1.0}]}
    show_answers([row])
    show_account([row], {}, tmp_path / "p.csv")

    shown = capsys.readouterr().out
    assert shown.startswith("1 video ")
    assert shown.endswith(f"Answers for 1 video are in {tmp_path / 'p.csv'}\n")


def test_where_the_file_cannot_be_written_after_all_every_answer_is_shown(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("vidattn.training.predictions.write_answers", full)
    writer = PredictionWriter(str(tmp_path / "one.csv"))
    writer.file = tmp_path / "one.csv"
    writer.rows = [{"path": f"{i}.mp4", "top": [{"class": "dark", "probability": 1.0}]} for i in range(30)]

    with pytest.raises(
        ValueError, match=r"one\.csv: cannot write it \(No space left on device\); the answers stand in"
    ):
        writer.on_predict_end(SimpleNamespace(world_size=1, is_global_zero=True), None)

    assert capsys.readouterr().out.count(".mp4") == 30
