"""`vidattn features --store`: what was read once is not read again."""

from pathlib import Path

import numpy as np
import pytest
from foreseen import plain_video

from vidattn import Classifier
from vidattn.classify import VideoFeatures
from vidattn.cli import main
from vidattn.mistakes import Mistake


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for level in (30, 120, 220):
        plain_video(folder / f"{level}.mp4", [level] * 20)
    return folder


def refuse():
    raise Mistake("a mistake")


def test_a_store_keeps_every_view_and_is_read_the_next_time(videos, checkpoint, tmp_path, capsys, monkeypatch):
    words = ["features", str(videos), "--weights", str(checkpoint), "--num-crops", "3", "--workers", "0"]
    words += ["--store", str(tmp_path / "store")]
    main([*words, "--out", str(tmp_path / "first.npz")])
    monkeypatch.setattr("vidattn.commands.kept_features.extract", lambda *_: refuse())

    main([*words, "--out", str(tmp_path / "second.npz")])

    first, second = (VideoFeatures.load(tmp_path / name) for name in ("first.npz", "second.npz"))
    assert first.paths == second.paths
    np.testing.assert_array_equal(first.vectors, second.vectors)
    plain = Classifier.from_pretrained(checkpoint, num_crops=3).features(list(first.paths), progress=False)
    np.testing.assert_allclose(first.vectors, plain.vectors, rtol=1e-4, atol=1e-5)
    assert "features of 3 of 3 videos are in" in capsys.readouterr().err.replace("\n", " ")


def test_a_broken_file_is_passed_over_with_a_store_too(videos, checkpoint, tmp_path, capsys):
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 100)
    words = ["features", str(videos / "30.mp4"), str(tmp_path / "broken.mp4"), "--weights", str(checkpoint)]

    with pytest.raises(SystemExit) as end:
        main([*words, "--store", str(tmp_path / "store"), "--out", str(tmp_path / "vectors.csv"), "--workers", "0"])

    assert end.value.code == 1
    assert "broken.mp4: cannot open it as a video" in capsys.readouterr().err
    assert [Path(path).name for path in VideoFeatures.load(tmp_path / "vectors.csv").paths] == ["30.mp4"]
