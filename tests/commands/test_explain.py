import re

import numpy as np
import pytest

from vidattn.cli import main
from vidattn.data.write_video import write_mp4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two videos, and a file that is none."""
    folder = tmp_path_factory.mktemp("explain")
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        write_mp4(folder / f"{name}.mp4", rng.integers(0, 255, (12, 48, 64, 3), dtype=np.uint8), 10)
    (folder / "broken.mp4").write_bytes(b"no video" * 50)
    return folder


def asked(*words):
    main(["explain", *(str(word) for word in words), "--device", "cpu"])


def test_one_video_is_one_page_with_two_networks_side_by_side(folder, checkpoint, tmp_path, capsys):
    out = tmp_path / "new" / "page.html"
    asked(folder / "a.mp4", "--weights", checkpoint, "--heads", "0", "--compare", checkpoint, "--save-html", out)
    page = out.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert len(re.findall(r'"heads":\["mean","0"\]', page)) == 2
    assert "open it in a browser" in capsys.readouterr().out


def test_a_folder_makes_pages_and_an_index_and_names_what_cannot_be_read(folder, checkpoint, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        asked(folder, "--weights", checkpoint, "--save-html", tmp_path / "pages")
    assert end.value.code == 1
    assert "broken.mp4: " in capsys.readouterr().err
    index = (tmp_path / "pages" / "index.html").read_text()
    links = re.findall(r'href="([^"]+)"', index)
    assert len(links) == 2
    assert all((tmp_path / "pages" / link).exists() for link in links)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--save-html", "page.png"), "page.png: one video makes one page; choose a name that ends in .html"),
        (("--save-html", "page.html", "--heads", "some"), "--heads some: wanted mean, all, or numbers such as 0,3"),
        (("--save-html", "page.html", "--heads", "99"), "head 99: the network has heads 0 to "),
    ],
)
def test_what_cannot_be_meant_is_said(folder, checkpoint, tmp_path, capsys, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        asked(folder / "a.mp4", "--weights", checkpoint, *words)
    assert end.value.code == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
