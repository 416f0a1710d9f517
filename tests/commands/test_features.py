"""`vidattn features`: what it writes, and what it refuses."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from foreseen import plain_video

from vidattn import Classifier
from vidattn.classify import FeatureExtractor, VideoFeatures
from vidattn.cli import main
from vidattn.mistakes import Mistake


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for level in (30, 120, 220):
        plain_video(folder / f"{level}.mp4", [level] * 20)
    return folder


def test_a_vector_for_each_file_and_the_names_beside_them(videos, checkpoint, tmp_path, capsys):
    out = tmp_path / "vectors.npz"

    main(["features", str(videos), "--weights", str(checkpoint), "--out", str(out), "--num-crops", "3"])

    arrays = np.load(out)
    assert sorted(Path(path).name for path in arrays["paths"]) == ["120.mp4", "220.mp4", "30.mp4"]
    wanted = Classifier.from_pretrained(checkpoint, num_crops=3).features(list(arrays["paths"]), progress=False)
    np.testing.assert_allclose(arrays["features"], wanted.vectors, rtol=1e-4, atol=1e-5)
    assert f"wrote {out}: 3 videos, 16 numbers each" in capsys.readouterr().out


def test_a_broken_file_is_named_and_passed_over(videos, checkpoint, tmp_path, capsys):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video" * 100)
    words = ["features", str(videos / "30.mp4"), str(broken), "gone.mp4", "--weights", str(checkpoint)]

    with pytest.raises(SystemExit) as end:
        main([*words, "--out", str(tmp_path / "vectors.csv")])

    assert end.value.code == 1
    said = capsys.readouterr().err
    assert "broken.mp4: cannot open it as a video" in said
    assert "gone.mp4: no such file" in said
    assert [Path(path).name for path in VideoFeatures.load(tmp_path / "vectors.csv").paths] == ["30.mp4"]

    with pytest.raises(SystemExit) as end:
        main(["features", str(broken), "--weights", str(checkpoint), "--out", str(tmp_path / "none.csv")])
    assert end.value.code == 2
    assert not (tmp_path / "none.csv").exists()


def refuse():
    raise Mistake("a mistake")


@pytest.mark.parametrize(
    ("end", "status", "message"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGINT), 130, "interrupted after 2 of 3 videos"),
        (lambda: os.kill(os.getpid(), signal.SIGTERM), 143, "terminated after 2 of 3 videos"),
        (refuse, 2, "features: a mistake"),
    ],
)
def test_what_was_read_until_then_is_kept(
    videos, checkpoint, tmp_path, capsys, monkeypatch, request, end, status, message
):
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, handler))
    views = FeatureExtractor.views

    def interrupted(self, source, fps=30.0):
        if Path(source).name == "220.mp4":
            end()
        return views(self, source, fps)

    monkeypatch.setattr(FeatureExtractor, "views", interrupted)
    files = [str(videos / f"{level}.mp4") for level in (30, 120, 220)]
    out = tmp_path / "vectors.safetensors"
    with pytest.raises(SystemExit) as exit:
        main(["features", *files, "--weights", str(checkpoint), "--batch-size", "1", "--out", str(out)])

    assert exit.value.code == status
    assert message in capsys.readouterr().err
    assert VideoFeatures.load(out).paths == files[:2]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_file_is_not_lost_unasked(videos, checkpoint, tmp_path, capsys):
    out = tmp_path / "vectors.csv"
    out.write_text("work of hours")
    words = ["features", str(videos / "30.mp4"), "--weights", str(checkpoint), "--out", str(out)]

    with pytest.raises(SystemExit) as end:
        main(words)

    assert end.value.code == 2
    assert f"vidattn features: {out} exists already; name another file, or add --overwrite" in capsys.readouterr().err
    assert out.read_text() == "work of hours"

    main([*words, "--overwrite"])
    assert len(VideoFeatures.load(out)) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--out", "vectors.txt"],
            "vectors.txt: features are written as .npz, .safetensors, .csv; choose",
        ),
        (["--out", "folder.npz"], "folder.npz is a folder; name another place for the output"),
        (["--out", "a.npz", "--weights", "none.ckpt"], "none.ckpt: no such file"),
        (["--out", "a.npz", "--num-clips", "0"], "num_clips=0 must be at least 1"),
        ([], "the following arguments are required: --out"),
    ],
)
def test_mistakes_end_with_a_sentence(videos, checkpoint, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(SystemExit) as end:
        main(["features", str(videos / "30.mp4"), "--weights", str(checkpoint), *words])
    assert end.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "a.npz").exists()
