import shutil

import pytest

from vidattn.cli import main


def test_the_command_names_each_video(checkpoint, tiny_video, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    named = shutil.copy(tiny_video, tmp_path / "Title [id].mp4")
    main(["bench-classify", str(named), "--weights", str(checkpoint), "--rounds=1"])

    output = capsys.readouterr().out
    assert "answer takes" in output
    assert "Title [id].mp4" in output


def test_a_missing_video_ends_in_one_line(checkpoint, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["bench-classify", "gone.mp4", "--weights", str(checkpoint)])

    assert exit.value.code == 2
    assert capsys.readouterr().err.startswith("vidattn bench-classify: gone.mp4: no such file")
