import csv

import pytest

from vidattn.cli import main


@pytest.mark.parametrize(("kind", "folder", "videos"), [("motion", "motion", 1000), ("appearance", "appearance", 300)])
def test_the_help_of_a_set_gives_its_own_defaults(kind, folder, videos, capsys):
    with pytest.raises(SystemExit) as end:
        main(["make", kind, "--help"])

    assert end.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"outputs/data/{folder}" in told
    assert f"default: {videos}" in told


def test_a_set_is_written_where_asked(tmp_path, capsys):
    words = ["--num_train", "1", "--num_val", "1", "--num_test", "1", "--num_frames", "2", "--size", "16"]

    main(["make", "appearance", "--out", str(tmp_path / "set"), *words])

    assert f"wrote {tmp_path / 'set'}: train.csv, val.csv, test.csv" in capsys.readouterr().out
    with (tmp_path / "set" / "train.csv").open() as file:
        assert len(list(csv.reader(file))) == 6
