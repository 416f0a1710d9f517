"""A frozen network on the tiny set: what is computed once, what is answered, and the network that comes of it."""

import csv
import json

import pytest
import torch
from tiny_run import CLASSES, write_set

import vidattn
from vidattn.cli import main
from vidattn.commands.probe import sources_of
from vidattn.data.videos.manifest import read_manifest
from vidattn.preprocessing import Preprocessing


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("probe_set"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A network that was never trained: brightness shows all the same."""
    torch.manual_seed(0)
    config = vidattn.preset(
        "Ti", depth=1, embed_dim=16, num_heads=2, image_size=32, patch_size=8, num_frames=4, num_classes=7
    )
    model = vidattn.Pretrained(vidattn.build_network(config), [], Preprocessing(mean=(0.5,) * 3, std=(0.5,) * 3))
    folder = tmp_path_factory.mktemp("weights")
    model.save_pretrained(folder)
    return folder


def words(videos, weights, out, *more):
    lists = [word for split in ("train", "val", "test") for word in (f"--{split}", str(videos / f"{split}.csv"))]
    return ["probe", "--weights", str(weights), *lists, "--out", str(out), "--store", str(out.parent / "store"), *more]


@pytest.fixture(scope="module")
def done(videos, weights, tmp_path_factory):
    out = tmp_path_factory.mktemp("probed") / "out"
    main(words(videos, weights, out, "--draws", "2", "--workers", "0"))
    return out


def test_the_report_says_what_was_chosen_and_how_good_it_is(done):
    report = json.loads((done / "probe.json").read_text())
    rows = list(csv.DictReader((done / "videos.csv").open()))

    assert [probe["probe"] for probe in report["probes"]] == ["linear", "neighbours"]
    for probe in report["probes"]:
        right = [row[probe["probe"]] == row["label"] for row in rows]
        assert probe["top1"] == pytest.approx(sum(right) / len(rows))
        assert probe["choice_top1"] == max(probe["settings"].values())
        assert probe["top1"] >= 7 / 8  # one label of the eight is wrong
    assert len(report["probes"][0]["settings"]) == 20
    points = list(csv.DictReader((done / "curve.csv").open()))
    assert {point["per_class"] for point in points} == {"1", "2", "4", "8", ""}
    for name in ("curve.png", "confusion_linear.png", "confusion_neighbours.png"):
        assert (done / name).read_bytes().startswith(b"\x89PNG")


def test_the_network_with_the_probe_answers_as_the_probe_did(done):
    rows = list(csv.DictReader((done / "videos.csv").open()))
    classifier = vidattn.Classifier.from_pretrained(done / "model_linear", num_clips=2)

    found = classifier([row["path"] for row in rows], progress=False)

    assert classifier.class_names == CLASSES
    assert [one.top(1)[0].name for one in found] == [row["linear"] for row in rows]


def test_an_attentive_probe_on_all_tokens_answers_as_the_network_that_comes_of_it(videos, tmp_path_factory):
    torch.manual_seed(0)
    config = vidattn.preset(
        "Ti",
        depth=1,
        embed_dim=16,
        num_heads=2,
        image_size=32,
        patch_size=16,
        num_frames=4,
        num_classes=7,
        pooling="mean",
    )
    model = vidattn.Pretrained(vidattn.build_network(config), [], Preprocessing(mean=(0.5,) * 3, std=(0.5,) * 3))
    folder = tmp_path_factory.mktemp("mean_weights")
    model.save_pretrained(folder)
    grid = ["--kind", "attentive", "--lr", "3e-3", "--weight-decay", "0.01", "0.1", "--attentive-epochs", "30"]

    main(words(videos, folder, folder / "out", "--workers", "0", *grid))

    rows = list(csv.DictReader((folder / "out" / "videos.csv").open()))
    found = vidattn.Classifier.from_pretrained(folder / "out" / "model_attentive", num_clips=2)(
        [row["path"] for row in rows], progress=False
    )
    assert [one.top(1)[0].name for one in found] == [row["attentive"] for row in rows]
    assert sum(row["attentive"] == row["label"] for row in rows) >= 6


def test_a_second_time_nothing_is_decoded(done, videos, weights, capsys, monkeypatch):
    def decoded(*_):
        raise AssertionError("a video was opened")

    monkeypatch.setattr("vidattn.data.readers.opening.open_file", decoded)

    main(words(videos, weights, done.parent / "again", "--draws", "0"))

    assert "features of 25 of 25 videos are in" in capsys.readouterr().err.replace("\n", " ")
    first, second = (json.loads((folder / "probe.json").read_text()) for folder in (done, done.parent / "again"))
    for one, other in zip(first["probes"], second["probes"], strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
    assert not (done.parent / "again" / "curve.png").exists()


def test_with_sources_in_place_of_validation_videos(done, videos, weights, tmp_path, capsys):
    listed = read_manifest(videos / "train.csv").videos
    lines = [f"{video.path},tape {number // 3}" for number, video in enumerate(listed)]
    (tmp_path / "sources.csv").write_text("\n".join(["path,source", *lines]) + "\n")
    given = words(videos, weights, done.parent / "crossed", "--sources", str(tmp_path / "sources.csv"))
    place = given.index("--val")

    main(given[:place] + given[place + 2 :])

    assert "cross-validation over sources" in capsys.readouterr().out.replace("\n", " ")
    assert json.loads((done.parent / "crossed" / "probe.json").read_text())["probes"][0]["top1"] >= 7 / 8


def test_a_broken_video_is_left_out_and_said(videos, weights, tmp_path, capsys):
    (tmp_path / "broken.mp4").write_bytes(b"nothing" * 50)
    listed = (videos / "val.csv").read_text().splitlines()
    rows = [f"{videos / line}" for line in listed] + [f"{tmp_path / 'broken.mp4'},{CLASSES[0]}"]
    (tmp_path / "val.csv").write_text("\n".join(rows) + "\n")
    given = words(videos, weights, tmp_path / "out", "--draws", "0", "--workers", "0", "--kind", "neighbours")
    given[given.index("--val") + 1] = str(tmp_path / "val.csv")

    main(given)

    assert "broken.mp4" in capsys.readouterr().out.replace("\n", "")
    assert json.loads((tmp_path / "out" / "probe.json").read_text())["skipped"][0][0].endswith("broken.mp4")


def test_wrong_words_stop_before_the_work(videos, weights, tmp_path, capsys):
    (tmp_path / "bare.csv").write_text("".join(f"{videos / 'train0.mp4'}\n"))
    given = words(videos, weights, tmp_path / "out")
    place = given.index("--val")
    without = given[:place] + given[place + 2 :]
    for bad, message in (
        (without, "give --val LIST, or where there are too few for that --sources FILE"),
        ([*given, "--num-clips", "0"], "num_clips=0 must be at least 1"),
        ([*given, "--join-clips", "--num-crops", "3"], "joins the clips of one crop, and --num-crops is 3; set it to"),
        ([*given, "--val", str(tmp_path / "bare.csv")], "wanted one class for each video, which a probe is to find"),
        ([*given, "--sources", "any.csv"], "--val and --sources are two ways to choose a setting; give one of them"),
        ([*without, "--sources", str(videos / "train.csv")], "wanted a CSV whose first line is path,source"),
    ):
        with pytest.raises(SystemExit):
            main(bad)
        assert message in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "out").exists()


def test_sources_must_cover_the_list(videos, tmp_path):
    (tmp_path / "sources.csv").write_text("path,source\nelsewhere.mp4,a\n")

    with pytest.raises(ValueError, match=r"has no line for .* and 11 more videos of --train"):
        sources_of(tmp_path / "sources.csv", read_manifest(videos / "train.csv").videos)


def test_probes_over_several_levels_and_all_clips_read_them_at_once(videos, tmp_path, capsys):
    torch.manual_seed(0)
    config = vidattn.preset(
        "Ti", depth=2, embed_dim=16, num_heads=2, image_size=32, patch_size=16, num_frames=4, num_classes=7
    )
    model = vidattn.Pretrained(vidattn.build_network(config), [], Preprocessing(mean=(0.5,) * 3, std=(0.5,) * 3))
    model.save_pretrained(tmp_path / "deep")
    grid = ["--levels", "1", "2", "--kind", "linear", "attentive", "--lr", "3e-3", "--weight-decay", "0.01"]
    rest = ["--attentive-epochs", "2", "--draws", "0", "--workers", "0", "--join-clips"]
    main(words(videos, tmp_path / "deep", tmp_path / "out", *grid, *rest))
    assert "no network is saved" in capsys.readouterr().out
    abouts = [json.loads(file.read_text())["features"] for file in (tmp_path / "store").glob("*/about.json")]
    assert sorted(abouts) == ["normed tokens, 1, of blocks 1, 2", "what the head takes, 1, of blocks 1, 2"]
    assert {probe["probe"] for probe in json.loads((tmp_path / "out" / "probe.json").read_text())["probes"]} == {
        "linear",
        "attentive",
    }
    assert not list((tmp_path / "out").glob("model_*"))
