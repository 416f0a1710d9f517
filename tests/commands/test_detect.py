import json
import re

import numpy as np
import pytest
from PIL import Image
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
    files |= {"--html": "found.html", "--look": "look.png"}
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
    with Image.open(tmp_path / "look-a.png") as picture:
        assert picture.width > 300
    page = (tmp_path / "found.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("<section") == 1
    assert "data:image/jpeg;base64," in page
    assert re.search(r"Could not be read:.*broken.mp4", page)
    assert "http" not in page


def test_nobody_is_found_where_more_is_asked_for(folder, capsys):
    main(["detect", str(folder / "a.mp4"), "--weights", str(folder / "one.ckpt"), "--least", "0.99", "--device", "cpu"])
    assert "nobody was found; a lower --least" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "file", "said"),
    [
        ("--film", "out.avi", "out.avi: wanted a name that ends in .gif or .mp4"),
        ("--html", "out.htm", "out.htm: wanted a name that ends in .html"),
        ("--look", "out.gif", "out.gif: what queries look at is drawn as .png, .svg or .pdf"),
        ("--html", "no/such.html", "no/such.html: the folder no does not exist; make it first"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(folder, capsys, option, file, said):
    with pytest.raises(SystemExit) as end:
        main(["detect", str(folder / "a.mp4"), "--weights", "nowhere", option, file])
    assert end.value.code == 2
    assert said in capsys.readouterr().err
