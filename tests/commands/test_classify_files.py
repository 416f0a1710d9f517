import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from foreseen import plain_video

from vidattn import Classifier
from vidattn.classify.timeline import Timeline
from vidattn.cli import main


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for level in (30, 120, 220):
        plain_video(folder / f"level <{level}>.mp4", [level] * 20)
    return folder


def chromium():
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.skipif(chromium() is None, reason="no chromium here")
def test_the_page_opens_in_a_browser_and_all_its_pictures_load(videos, checkpoint, tmp_path):
    page = tmp_path / "report.html"
    main(["classify", str(videos), "--weights", str(checkpoint), "--save-html", str(page)])
    assert "http" not in page.read_text().replace("http-equiv", "")
    script = "<script>document.title=[...document.images].filter(i=>i.naturalWidth==32).length+' loaded'</script>"
    page.write_text(page.read_text().replace("</html>", f"<script>onload=()=>{{{script[8:-9]}}}</script></html>"))

    words = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    words += [f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()]
    dom = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True).stdout

    assert "<title>12 loaded</title>" in dom  # four frames of three videos
    assert "level &lt;30&gt;.mp4" in dom


@pytest.mark.parametrize("timeline", [[], ["--timeline"]])
def test_what_could_not_be_read_is_in_the_json_and_on_the_page(videos, checkpoint, tmp_path, timeline):
    (videos / "broken.mp4").write_bytes(b"no video" * 100)
    out = {ending: tmp_path / f"answers.{ending}" for ending in ("json", "html")}

    files = ["--json", str(out["json"]), "--save-html", str(out["html"])]
    with pytest.raises(SystemExit):
        main(["classify", str(videos), "--weights", str(checkpoint), *timeline, *files])

    entries = json.loads(out["json"].read_text())
    assert [sorted(entry) == ["error", "path"] for entry in entries] == [False, False, False, True]
    assert "broken.mp4: cannot open it as a video" in out["html"].read_text()


def test_a_file_that_could_not_be_written_is_refused_before_the_work(videos, checkpoint, tmp_path, capsys):
    (tmp_path / "folder.csv").mkdir()

    with pytest.raises(SystemExit) as exit:
        main(["classify", str(videos), "--weights", str(checkpoint), "--csv", str(tmp_path / "folder.csv")])

    shown = capsys.readouterr()
    assert exit.value.code == 2
    assert "folder.csv is a folder; name another place for the output" in shown.err
    assert not shown.out


def test_where_a_file_cannot_be_written_the_others_are(videos, checkpoint, tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vidattn.classify.prediction.write_answers", full)
    files = ["--csv", str(tmp_path / "a.csv"), "--json", str(tmp_path / "a.json")]
    with pytest.raises(SystemExit) as exit:
        main(["classify", str(videos), "--weights", str(checkpoint), *files])

    shown = capsys.readouterr()
    assert exit.value.code == 1
    assert shown.err.endswith("a.csv: cannot write it (No space left on device)\n")
    assert shown.out.endswith("a.json\n")
    assert len(json.loads((tmp_path / "a.json").read_text())) == 3


@pytest.mark.parametrize("wanted", [True, False])
def test_files_are_written_though_nobody_reads_the_tables(videos, checkpoint, tmp_path, monkeypatch, wanted):
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setattr(sys, "stdout", os.fdopen(writing, "w"))
    words = ["classify", str(videos), "--weights", str(checkpoint), "--batch-size", "1"]

    if wanted:
        main([*words, "--csv", str(tmp_path / "answers.csv")])
        assert len((tmp_path / "answers.csv").read_text().splitlines()) == 4
    else:
        with pytest.raises(SystemExit) as exit:
            main(words)
        assert exit.value.code == 141


@pytest.mark.parametrize("first", [KeyboardInterrupt(), None])
def test_an_interrupt_leaves_the_page_out_and_keeps_the_rest(videos, checkpoint, tmp_path, capsys, monkeypatch, first):
    show = Classifier.timeline

    def timeline(self, source, *words, **options):
        if first and Path(source).name == "level <30>.mp4":
            raise first
        return show(self, source, *words, **options)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Classifier, "timeline", timeline)
    monkeypatch.setattr(Timeline, "to_html", interrupted)
    out = {ending: tmp_path / f"answers.{ending}" for ending in ("csv", "json", "html")}
    files = ["--csv", str(out["csv"]), "--json", str(out["json"]), "--save-html", str(out["html"])]
    with pytest.raises(SystemExit) as exit:
        main(["classify", str(videos), "--weights", str(checkpoint), "--timeline", *files])

    assert exit.value.code == 130
    assert "vidattn classify: interrupted" in capsys.readouterr().err
    assert len(json.loads(out["json"].read_text())) == (2 if first else 3)
    assert out["csv"].exists()
    assert not out["html"].exists()
