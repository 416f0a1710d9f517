import json
import os

import pytest
from encode import numbered_frames
from PIL import Image
from prepare_run import prepared_frames, run_without_processes


def test_a_second_list_is_not_mixed_into_the_folder_of_the_first(clip, tmp_path, capsys):
    clip("train/x/1.mkv", 7)
    clip("val/x/1.mkv", 9)
    prepared_frames(tmp_path / "train", tmp_path / "out")
    files = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}

    with pytest.raises(SystemExit) as exit:
        prepared_frames(tmp_path / "val", tmp_path / "out")

    assert exit.value.code == 2
    error = capsys.readouterr().err
    assert f"data={tmp_path / 'train'}, not data={tmp_path / 'val'}; give the same ones to go on, or another" in error
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")} == files


def test_a_target_is_written_anew_when_its_source_is_another_file(clip, tmp_path):
    clip("d/a.mov", 5)
    clip("d/a.mp4", 6)
    assert prepared_frames(tmp_path / "d", tmp_path / "out") == [5, 6]
    (tmp_path / "d" / "a.mov").unlink()
    assert prepared_frames(tmp_path / "d", tmp_path / "out") == [6]  # to where a.mov's was

    old = clip("d/a.mp4", 8)
    os.utime(old, (1, 1))  # as cp -p and rsync -t leave it
    assert prepared_frames(tmp_path / "d", tmp_path / "out") == [8]


def test_another_rate_of_folders_of_pictures_is_another_setting(clip, tmp_path, capsys):
    (tmp_path / "v").mkdir()
    Image.fromarray(numbered_frames(1)[0]).save(tmp_path / "v" / "1.png")
    clip("files/a.mp4", 5)
    (tmp_path / "list.txt").write_text("v 1 0\n")
    run_without_processes(tmp_path / "list.txt", tmp_path / "out")
    settings = tmp_path / "out" / "videos" / "settings.json"
    told = json.loads(settings.read_text())

    for before in (told, {name: value for name, value in told.items() if name != "folder_fps"}):  # as it once was
        settings.write_text(json.dumps(before))
        run_without_processes(tmp_path / "list.txt", tmp_path / "out")
        with pytest.raises(SystemExit):
            run_without_processes(tmp_path / "list.txt", tmp_path / "out", "--folder_fps=5")
        assert "other settings: folder_fps=30.0, not folder_fps=5.0;" in capsys.readouterr().err
    run_without_processes(tmp_path / "files", tmp_path / "out2")
    run_without_processes(tmp_path / "files", tmp_path / "out2", "--folder_fps=5")  # it means nothing there
