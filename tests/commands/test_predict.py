"""A detector works through a list, and goes on where it stopped. Of other tasks: test_trainer.py."""

import csv
import json

import numpy as np
import pytest
from untrained_detector import write_untrained

from vidattn import Detector
from vidattn.cli import main
from vidattn.data.write_video import write_mp4

NAMES = ["a.mp4", "b.mp4", "c.mp4"]


@pytest.fixture
def folder(tmp_path):
    """Videos, a list of them that names a broken one and one that is not there as well, and a checkpoint."""
    write_untrained(tmp_path / "one.ckpt")
    for seed, name in enumerate(NAMES):
        pixels = np.random.default_rng(seed).integers(0, 255, (9, 32, 32, 3), dtype=np.uint8)
        write_mp4(tmp_path / name, pixels, 10)
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 50)
    (tmp_path / "list.txt").write_text("\n".join([NAMES[0], "broken.mp4", *NAMES[1:], "gone.mp4"]) + "\n")
    return tmp_path


@pytest.fixture
def seen(monkeypatch):
    """The names of the videos that are looked through; Ctrl-C comes at one that `stops` names."""
    names, real = [], Detector.__call__

    def watched(self, source, *words):
        name = source.rsplit("/", 1)[1]
        if name in stops:
            raise KeyboardInterrupt
        names.append(name)
        return real(self, source, *words)

    stops = set()
    monkeypatch.setattr(Detector, "__call__", watched)
    return names, stops


def asked(folder, out, *more, code=1):
    words = ["predict", str(folder / "list.txt"), "--weights", str(folder / "one.ckpt"), "--out", str(folder / out)]
    with pytest.raises(SystemExit) as end:
        main([*words, "--least", "0.01", "--device", "cpu", *more])
    assert end.value.code == code


def test_what_was_found_before_an_interrupt_is_kept_and_the_rest_follows(folder, seen, capsys):
    names, stops = seen
    stops.add("b.mp4")
    asked(folder, "found.csv", code=130)
    assert names == ["a.mp4", "broken.mp4"]
    assert "interrupted after 1 of 4 videos, whose answers are kept in" in capsys.readouterr().err
    assert not (folder / "found.csv").exists()
    with (folder / "found.csv.journal").open("a") as journal:
        journal.write('{"path": "half a l')  # of a process that was killed

    stops.clear()
    asked(folder, "found.csv")
    assert names[2:] == ["broken.mp4", "b.mp4", "c.mp4"]  # what could not be read may have been copied by now
    said = capsys.readouterr().err
    assert "1 video of 4 answered before" in said
    assert "broken.mp4: " in said
    assert "gone.mp4: no such file" in said

    with pytest.raises(SystemExit):
        main(["detect", *(str(folder / name) for name in [*NAMES, "broken.mp4"]), "--weights",
              str(folder / "one.ckpt"), "--least", "0.01", "--device", "cpu", "--csv",
              str(folder / "detected.csv")])  # fmt: skip
    assert (folder / "found.csv").read_text() == (folder / "detected.csv").read_text()
    assert len(list(csv.DictReader((folder / "found.csv").open()))) > 9


def test_only_what_is_new_or_written_anew_is_looked_through_again(folder, seen):
    names, _ = seen
    asked(folder, "found.json")
    told = json.loads((folder / "found.json").read_text())
    assert [video["path"] for video in told["videos"]] == [str(folder / name) for name in NAMES]
    assert [missed["path"] for missed in told["skipped"]] == [str(folder / "gone.mp4"), str(folder / "broken.mp4")]

    names.clear()
    write_mp4(folder / "b.mp4", np.zeros((5, 32, 32, 3), np.uint8), 10)
    asked(folder, "found.json")
    assert names == ["broken.mp4", "b.mp4"]
    again = json.loads((folder / "found.json").read_text())["videos"]
    assert [again[0], again[2]] == [told["videos"][0], told["videos"][2]]
    assert again[1] != told["videos"][1]


def test_answers_by_other_options_do_not_mix(folder, capsys):
    asked(folder, "found.csv")
    before = (folder / "found.csv").read_bytes()
    asked(folder, "found.csv", "--least", "0.5", code=2)
    assert "found.csv.journal: holds answers of other weights, or by other options" in capsys.readouterr().err
    assert (folder / "found.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("path,label,start,end\na.mp4,run,0.1,0.5\n", "a.mp4 is a part of a file"),
        ("gone.mp4\n", "none of the 1 listed"),
    ],
)
def test_a_list_of_anything_but_whole_files_is_refused(folder, capsys, row, said):
    (folder / "list.txt").write_text(row)
    asked(folder, "found.csv", code=2)
    assert said in capsys.readouterr().err
    assert not (folder / "found.csv.journal").exists()
