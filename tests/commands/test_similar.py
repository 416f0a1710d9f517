"""The nearest videos on the tiny set, whose classes differ in brightness."""

import csv

import pytest
import torch
from tiny_run import write_set

import vidattn
from vidattn.cli import main
from vidattn.preprocessing import Preprocessing


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("similar_set"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    config = vidattn.preset("Ti", depth=1, embed_dim=16, num_heads=2, image_size=32, patch_size=8, num_frames=4)
    model = vidattn.Pretrained(vidattn.build_network(config), [], Preprocessing(mean=(0.5,) * 3, std=(0.5,) * 3))
    folder = tmp_path_factory.mktemp("weights")
    model.save_pretrained(folder)
    return folder


def test_the_nearest_videos_are_of_the_same_brightness(videos, weights, tmp_path, capsys):
    asked, among = videos / "test2.mp4", videos / "train.csv"
    options = ["--weights", str(weights), "--store", str(tmp_path / "store"), "--workers", "0", "--top", "3"]
    files = ["--csv", str(tmp_path / "hits.csv"), "--picture", str(tmp_path / "hits.png")]

    main(["similar", str(asked), "--among", str(among), *options, *files])

    rows = list(csv.DictReader((tmp_path / "hits.csv").open()))
    labels = dict(line.split(",") for line in among.read_text().split())
    assert [labels[row["video"].rpartition("/")[2]] for row in rows] == ["light"] * 3
    cosines = [float(row["cosine"]) for row in rows]
    assert cosines == sorted(cosines, reverse=True)
    assert (tmp_path / "hits.png").read_bytes().startswith(b"\x89PNG")
    assert "Most like" in capsys.readouterr().out


def test_the_video_itself_is_no_hit(videos, weights, tmp_path):
    options = ["--weights", str(weights), "--store", str(tmp_path / "store"), "--workers", "0", "--top", "50"]

    main(
        [
            "similar",
            str(videos / "train0.mp4"),
            "--among",
            str(videos / "train.csv"),
            *options,
            "--csv",
            str(tmp_path / "hits.csv"),
        ]
    )

    rows = list(csv.DictReader((tmp_path / "hits.csv").open()))
    assert len(rows) == 11
    assert not any(row["video"].endswith("train0.mp4") for row in rows)


def test_what_cannot_be_asked_is_said(videos, weights, tmp_path, capsys):
    (tmp_path / "broken.mp4").write_bytes(b"nothing" * 100)
    options = [
        "--among",
        str(videos / "val.csv"),
        "--weights",
        str(weights),
        "--store",
        str(tmp_path / "s"),
        "--workers",
        "0",
    ]
    for video, more, message in (
        (tmp_path / "broken.mp4", [], "broken.mp4: cannot open it as a video"),
        (videos / "val0.mp4", ["--top", "0"], "top=0 must be at least 1"),
        (videos / "val0.mp4", ["--picture", "hits.jpg"], "hits.jpg must end in .png"),
    ):
        with pytest.raises(SystemExit):
            main(["similar", str(video), *options, *more])
        assert message in capsys.readouterr().err.replace("\n", " ")
