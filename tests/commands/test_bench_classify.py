import shutil

import pytest

from vidattn.bench.classify import answer_seconds
from vidattn.classify.classifier import Classifier
from vidattn.cli import main


def test_the_answer_takes_as_long_as_its_parts_and_little_more(checkpoint, tiny_video):
    classifier = Classifier.from_pretrained(checkpoint, num_clips=2)
    seen = []
    classifier.network.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))

    seconds = answer_seconds(classifier, str(tiny_video), rounds=2)

    assert {name: len(values) for name, values in seconds.items()} == {"decoding": 2, "forward": 2, "answer": 2}
    assert set(seen) == {2}  # both clips together, in the parts as in the whole
    assert min(seconds["answer"]) > min(seconds["forward"]) > 0


def test_the_command_names_each_video(checkpoint, tiny_video, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    named = shutil.copy(tiny_video, tmp_path / "Title [id].mp4")
    main(["bench-classify", str(named), "--weights", str(checkpoint), "--rounds=1"])

    output = capsys.readouterr().out
    assert "answer takes" in output
    assert "Title [id].mp4" in output


def test_a_missing_video_ends_in_one_line(checkpoint, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["bench-classify", "gone.mp4", "--weights", str(checkpoint)])

    assert exit.value.code == 2
    assert capsys.readouterr().err.startswith("vidattn bench-classify: gone.mp4: no such file")
