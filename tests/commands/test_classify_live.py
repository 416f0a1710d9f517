import io
import json
from types import SimpleNamespace

import pytest
from foreseen import plain_video, write_checkpoint

from vidattn.cli import main


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(write_checkpoint(tmp_path_factory.mktemp("weights") / "best.ckpt"))


def test_what_is_piped_in_is_answered_line_by_line(weights, tmp_path, capsys, monkeypatch):
    video = plain_video(tmp_path / "a.mkv", [30] * 30 + [200] * 30)  # 10 a second; a clip is of 4, 3 apart
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(video.read_bytes())))

    main(["classify", "-", "--live", "--weights", weights, "--step", "1", "--json-lines", "--top", "2"])

    out, err = capsys.readouterr()
    answers = [json.loads(line) for line in out.splitlines()]
    assert {answer["end"] for answer in answers} <= {0.9, 1.9, 2.9, 3.9, 4.9, 5.9}  # fewer where the machine is slow
    assert answers[-1]["end"] == 5.9
    assert all(len(answer["top"]) == 2 for answer in answers)
    lost = answers[-1]["skipped"]
    assert len(answers) + lost == 6
    assert f"about 60 frames; {answers[-1]['dropped']} frames dropped, {lost} answer" in err

    main(["classify", str(video), "--live", "--weights", weights, "--window", "2"])
    assert capsys.readouterr().out.splitlines()[0].startswith("0:01.5  ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-"], "- is what is piped in, which comes once: add --live"),
        (["a.mp4", "--json-lines"], "--json-lines is for --live; add it"),
        (["a.mp4", "b.mp4", "--live"], "--live is about one source, and 2 are given"),
        (["a.mp4", "--live", "--timeline"], "--timeline is not for --live"),
        (["a.mp4", "--live", "--num-clips", "3"], "--num-clips 3 is not for --live"),
        (["nowhere.mp4", "--live"], "nowhere.mp4: no such file or device"),
    ],
)
def test_what_does_not_fit_a_stream_is_refused(words, message, weights, capsys):
    with pytest.raises(SystemExit) as end:
        main(["classify", *words, "--weights", weights])
    assert end.value.code == 2
    assert message in capsys.readouterr().err
