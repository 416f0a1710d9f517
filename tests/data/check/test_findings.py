import json

from encode import encode_video, numbered_frames

from vidattn.cli import main
from vidattn.data.check.findings import findings
from vidattn.data.check.survey import survey
from vidattn.data.videos.manifest import read_manifest


def test_leaks_repeats_and_empty_classes_are_found(videos, checked):
    report = json.loads((checked / "report.json").read_text())

    assert report["same_in_several_splits"] == [
        [str(videos / "train/jump/good.mp4"), str(videos / "val/dance/leak.mp4")]
    ]
    assert report["same_within_a_split"] == [
        [str(videos / "train/dance/good.mp4"), str(videos / "train/dance/twice.mp4")]
    ]
    assert report["classes_without_videos"] == {"val": ["jump"]}


def test_the_same_file_in_two_splits_is_a_leak(videos):
    manifest = read_manifest(videos / "val.csv")
    probes = list(survey(manifest.videos, 8, 0, timeout=None))

    result = findings({"train": manifest, "test": manifest}, probes)

    assert [str(videos / "val/dance/good.mp4")] in result.leaks


def test_rows_that_say_a_video_again_or_with_another_label_are_found(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    for name in "nm":
        encode_video(tmp_path / f"{name}.mp4", numbered_frames(60))
    rows = [
        "label,youtube_id,time_start,time_end,split",
        *(f"{name},n,0,1,train" for name in ("jump", "jump", "dance")),
    ]
    rows += ["jump,m,0,1,train", "jump,m,1,2,train"]  # two segments
    (tmp_path / "train.csv").write_text("\n".join(rows))
    (tmp_path / "several.txt").write_text("n.mp4 0 1\nm.mp4 1\n")

    main(["check", str(tmp_path / "train.csv"), str(tmp_path / "several.txt"), "--out", str(tmp_path), "--workers=0"])

    report = json.loads((tmp_path / "report.json").read_text())
    assert report["listed_twice"] == report["rows_with_other_labels"] == {"train": [str(tmp_path / "n.mp4")]}
    output = capsys.readouterr().out
    assert "listed twice in train" in output
    assert "rows with other labels in train" in output
