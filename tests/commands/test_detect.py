import json

import numpy as np
import pytest
from untrained_detector import write_untrained

from vidattn.cli import main
from vidattn.data.write_video import write_mp4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint and a video."""
    folder = tmp_path_factory.mktemp("detect")
    write_untrained(folder / "one.ckpt")
    write_mp4(folder / "a.mp4", np.random.default_rng(1).integers(0, 255, (9, 48, 64, 3), dtype=np.uint8), 10)
    (folder / "broken.mp4").write_bytes(b"no video" * 50)
    return folder


def test_videos_are_told_and_written_and_one_that_cannot_be_read_is_named(folder, tmp_path, capsys):
    files = {"--csv": "found.csv", "--json": "found.json", "--film": "found.gif"}
    words = [str(word) for name, file in files.items() for word in (name, tmp_path / file)]
    with pytest.raises(SystemExit) as end:
        main(["detect", str(folder / "a.mp4"), str(folder / "broken.mp4"), "--weights", str(folder / "one.ckpt"),
              "--least", "0.01", "--device", "cpu", *words])  # fmt: skip
    said = capsys.readouterr()
    assert end.value.code == 1
    assert "broken.mp4: " in said.err
    assert any(name in said.out for name in ("run", "jump", "sit"))
    told = json.loads((tmp_path / "found.json").read_text())
    assert [video["path"] for video in told["videos"]] == [str(folder / "a.mp4")]
    assert [one["path"] for one in told["skipped"]] == [str(folder / "broken.mp4")]
    lines = (tmp_path / "found.csv").read_text().splitlines()
    assert len(lines) == 1 + sum(len(tube["boxes"]) for tube in told["videos"][0]["tubes"])
    assert (tmp_path / "found-a.gif").exists()


def test_nobody_is_found_where_more_is_asked_for(folder, capsys):
    main(["detect", str(folder / "a.mp4"), "--weights", str(folder / "one.ckpt"), "--least", "0.99", "--device", "cpu"])
    assert "nobody was found; a lower --least" in capsys.readouterr().out


def test_a_film_of_another_kind_is_refused_before_anything_is_read(folder, capsys):
    with pytest.raises(SystemExit) as end:
        main(["detect", str(folder / "a.mp4"), "--weights", "nowhere", "--film", "out.avi"])
    assert end.value.code == 2
    assert "out.avi: wanted a name that ends in .gif or .mp4" in capsys.readouterr().err
