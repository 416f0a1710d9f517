import csv
import io
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from foreseen import plain_video, write_checkpoint

from vidattn import Classifier
from vidattn.cli import main
from vidattn.mistakes import Mistake


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for level in (30, 120, 220):
        plain_video(folder / f"level <{level}>.mp4", [level] * 20)
    return folder


def test_a_table_for_each_file_and_answers_on_disk(videos, checkpoint, tmp_path, capsys):
    out = {ending: tmp_path / f"answers.{ending}" for ending in ("csv", "json", "html")}

    files = ["--csv", str(out["csv"]), "--json", str(out["json"]), "--save-html", str(out["html"])]
    main(["classify", str(videos), "--weights", str(checkpoint), "--top", "2", *files])

    printed = capsys.readouterr().out
    classifier = Classifier.from_pretrained(checkpoint)
    with out["csv"].open() as stream:
        rows = list(csv.DictReader(stream))
    plain = json.loads(out["json"].read_text())
    assert len(rows) == len(plain) == 3
    for path, row, whole in zip(sorted(videos.iterdir()), rows, plain, strict=True):
        answer = classifier(path)
        assert str(path) in printed
        assert f"{answer.probability:.1%}" in printed
        assert (row["path"], row["class_1"]) == (str(path), answer.name)
        assert float(row["probability_2"]) == pytest.approx(answer.top()[1].probability, abs=1e-5)
        assert [one["class"] for one in whole["top"]] == [one.name for one in answer.top(2)]
    assert all(f"wrote {file}" in printed for file in out.values())


def test_timelines(videos, checkpoint, tmp_path, capsys):
    out = {ending: tmp_path / f"timeline.{ending}" for ending in ("csv", "json", "html")}

    files = ["--csv", str(out["csv"]), "--json", str(out["json"]), "--save-html", str(out["html"])]
    windows = ["--timeline", "--window", "1", "--step", "0.5"]
    main(["classify", f"{videos}/*", "--weights", str(checkpoint), *windows, *files])

    plain = json.loads(out["json"].read_text())
    assert [len(timeline["windows"]) for timeline in plain] == [3, 3, 3]
    with out["csv"].open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["start"], row["end"]) for row in rows] == [("0.000", "2.000")] * 3
    assert "0:02.0" in capsys.readouterr().out
    assert out["html"].read_text().count("data:image/png;base64,") == 3


def test_what_could_not_be_read_is_said_and_told_by_the_status(videos, checkpoint, tmp_path, capsys):
    (videos / "broken.mp4").write_bytes(b"no video" * 100)

    with pytest.raises(SystemExit) as exit:
        main(["classify", str(videos), "missing.mp4", "--weights", str(checkpoint)])

    assert exit.value.code == 1
    shown = capsys.readouterr()
    assert "broken.mp4: cannot open it as a video" in shown.err
    assert "missing.mp4: no such file" in shown.err
    assert "level <220>.mp4" in shown.out


@pytest.mark.parametrize(
    ("end", "status", "message"),
    [
        (KeyboardInterrupt(), 130, "interrupted after 2 of 3 videos"),
        (Mistake("a mistake"), 2, "vidattn classify: a mistake"),
    ],
)
def test_answers_are_shown_as_they_come_and_kept(
    videos, checkpoint, tmp_path, capsys, monkeypatch, end, status, message
):
    views = Classifier.views

    def interrupted(self, source, fps):
        if Path(source).name == "level <220>.mp4":
            assert "level <30>" in capsys.readouterr().out
            raise end
        return views(self, source, fps)

    monkeypatch.setattr(Classifier, "views", interrupted)
    ordered = [f"{videos}/level <{level}>.mp4" for level in (30, 120, 220)]
    options = ["--batch-size", "1", "--weights", str(checkpoint), "--csv", str(tmp_path / "answers.csv")]
    with pytest.raises(SystemExit) as exit:
        main(["classify", *ordered, *options])

    assert exit.value.code == status
    assert message in capsys.readouterr().err
    assert len((tmp_path / "answers.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--timeline", "--num-clips", "3"], "--num-clips 3 is not for --timeline, whose windows are clips"),
        (["--timeline", "--reader", "decord"], "--reader decord is not for --timeline, which PyAV decodes"),
        (["--image-size", "0"], "image_size=0 must be at least 1"),
        (["--weights", "none.ckpt"], "none.ckpt: no such file"),
        (["--csv", "answers.txt"], "answers.txt: wanted a name that ends in .csv"),
        (["--json", "nowhere/answers.json"], "the folder nowhere does not exist; make it first"),
        (["--step", "2"], "--window and --step are for --timeline, and for --live; add one"),
        (["--image-size", "33"], "33 is not a multiple of patch_size=8; nearest sizes are 32 and 40"),
        (["--class-names", "none.txt"], "class_names=none.txt is not a file"),
        (["--timeline", "--window", "1", "--step", "2"], "wanted 0 < step <= window"),
        (["--timeline", "--window", "0"], "wanted 0 < step <= window"),
        (["--step", "0"], "--window and --step are for --timeline, and for --live; add one"),
        (["--batch-size", "0"], "batch_size=0 must be at least 1"),
        (["--top", "0"], "--top 0: wanted at least one class to show"),
        (["--device", "cuda:99"], "device=cuda:99: "),
        (["--device", "gpu"], "take device=cpu, or see what vidattn doctor says"),
    ],
)
def test_mistakes_are_one_line(videos, checkpoint, capsys, words, message):
    with pytest.raises(SystemExit) as exit:
        main(["classify", str(videos), "--weights", str(checkpoint), *words])

    assert exit.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("timeline", [[], ["--timeline"]])
def test_a_name_that_is_no_utf8_is_escaped(videos, checkpoint, tmp_path, monkeypatch, timeline):
    video = videos / os.fsdecode(b"bad\xff.mp4")
    (videos / "level <30>.mp4").rename(video)
    out = {ending: tmp_path / f"answers.{ending}" for ending in ("csv", "json", "html")}
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))

    files = ["--csv", str(out["csv"]), "--json", str(out["json"]), "--save-html", str(out["html"])]
    main(["classify", str(video), "--weights", str(checkpoint), *timeline, *files])

    sys.stdout.flush()
    for text in (sys.stdout.buffer.getvalue().decode(), *(file.read_text("utf-8") for file in out.values())):
        assert "bad\\udcff.mp4" in text
    assert json.loads(out["json"].read_text())[0]["path"] == str(video)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii"])
@pytest.mark.parametrize("timeline", [[], ["--timeline"]])
def test_an_output_without_blocks_has_bars_all_the_same(videos, checkpoint, monkeypatch, encoding, timeline):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    (videos / "level <30>.mp4").rename(videos / "\u4e2d.mp4")

    main(["classify", str(videos / "\u4e2d.mp4"), "--weights", str(checkpoint), *timeline])

    sys.stdout.flush()
    printed = sys.stdout.buffer.getvalue().decode(encoding)
    assert "\\u4e2d.mp4" in printed
    assert ("+---" if timeline else "%  ####") in printed
    assert "\\u25" not in printed


def test_where_no_video_can_be_read_nothing_could_be_done(checkpoint, tmp_path, capsys):
    file = tmp_path / "answers.json"
    with pytest.raises(SystemExit) as exit:
        main(["classify", "one.mp4", "two.mp4", "--weights", str(checkpoint), "--json", str(file)])

    assert exit.value.code == 2
    shown = capsys.readouterr()
    assert shown.err.count("no such file") == 2
    assert len(json.loads(file.read_text())) == 2


def test_an_interrupt_while_the_command_is_imported_is_a_line(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("vidattn.cli.importlib.import_module", interrupted)
    with pytest.raises(SystemExit) as exit:
        main(["classify", "a.mp4", "--weights", "none"])

    assert exit.value.code == 130
    assert capsys.readouterr().err == "vidattn: interrupted\n"


def test_nothing_to_answer_is_a_mistake(checkpoint, tmp_path, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["classify", str(tmp_path), "--weights", str(checkpoint), "--csv", str(tmp_path / "answers.csv")])

    assert exit.value.code == 2
    assert "no video in this folder" in capsys.readouterr().err
    assert not (tmp_path / "answers.csv").exists()


def test_a_checkpoint_without_names_says_so_below_the_table(videos, tmp_path, capsys):
    nameless = write_checkpoint(tmp_path / "nameless.ckpt", names=[])

    main(["classify", f"{videos}/*30*", "--weights", str(nameless)])

    assert "the checkpoint names no classes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_what_a_timeline_has_answered_is_kept(
    videos, checkpoint, tmp_path, capsys, monkeypatch, request, number, status, word
):
    long = plain_video(tmp_path / "long.mp4", [30] * 40 + [220] * 60)  # 10 seconds
    rows = Classifier.probabilities
    answered = []

    def interrupted(self, clips):
        answered.append(len(clips))
        if len(answered) == 5:
            os.kill(os.getpid(), number)
        return rows(self, clips)

    monkeypatch.setattr(Classifier, "probabilities", interrupted)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, handler))
    out = {ending: tmp_path / f"answers.{ending}" for ending in ("csv", "json")}
    files = ["--csv", str(out["csv"]), "--json", str(out["json"])]
    windows = ["--timeline", "--window", "1", "--step", "1", "--batch-size", "1"]
    with pytest.raises(SystemExit) as exit:
        main(["classify", str(long), "--weights", str(checkpoint), *windows, *files])

    assert exit.value.code == status
    shown = capsys.readouterr()
    assert f"{word} after 0 of 1 videos and 0:04.0 of 0:10.0 of {long}" in shown.err
    assert "interrupted after 0:04.0 of 0:10.0" in shown.out
    (kept,) = json.loads(out["json"].read_text())
    assert [window["end"] for window in kept["windows"]] == pytest.approx([1, 2, 3, 4])
    with out["csv"].open() as stream:
        assert float(list(csv.DictReader(stream))[-1]["end"]) == pytest.approx(4)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_timeline_that_is_interrupted_at_once_keeps_nothing(videos, checkpoint, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Classifier, "probabilities", interrupted)
    with pytest.raises(SystemExit) as exit:
        main(["classify", f"{videos}/level <30>.mp4", "--weights", str(checkpoint), "--timeline"])
    assert exit.value.code == 130
    assert capsys.readouterr().err == "vidattn classify: interrupted\n"
