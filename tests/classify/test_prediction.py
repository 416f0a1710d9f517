import json
import os

import numpy as np
import pytest
from foreseen import brightness_classifier, plain_video

from vidattn.classify.prediction import Prediction


def test_results_convert(tmp_path):
    path = plain_video(tmp_path / "a.mp4", [120] * 12)
    answer = brightness_classifier()(path)
    answers = brightness_classifier()([path, path, tmp_path / "none.mp4"], progress=False)

    assert isinstance(answer, Prediction)
    row = json.loads(answer.to_json(top=2))
    assert (row["path"], row["views"], len(row["seconds"])) == (str(path), 1, 4)
    assert [one["class"] for one in row["top"]] == ["grey", "light"] or [one["class"] for one in row["top"]] == [
        "grey",
        "dark",
    ]
    frame = answers.to_dataframe(top=3)
    assert list(frame.columns) == ["path", "rank", "class", "probability"]
    assert len(frame) == 6
    assert frame.groupby("path")["probability"].sum().iloc[0] == pytest.approx(2)
    assert json.loads(answers.to_json())[2]["error"].startswith("no such file")
    assert repr(answers[1:]) == "<Predictions of 1 video, 0 skipped>"
    answer.save(tmp_path / "new" / "answer.JSON")
    assert json.loads((tmp_path / "new" / "answer.JSON").read_text())[0]["path"] == str(path)
    names = [line.split()[0] for line in str(answer).splitlines()[-3:]]  # below the path, which may fill some lines
    assert (names[0], sorted(names)) == ("grey", ["dark", "grey", "light"])
    assert "grey" in repr(answer)


@pytest.mark.parametrize("top", [0, -1])
def test_less_than_one_class_is_refused(tmp_path, top):
    frames = np.zeros((12, 48, 64, 3), np.uint8)
    answer, timeline = brightness_classifier()(frames), brightness_classifier().timeline(frames)

    saved = tmp_path / "answers.csv"
    for ask in (answer.top, answer.to_html, lambda top: answer.save(saved, top), timeline.to_json, timeline.to_dict):
        with pytest.raises(ValueError, match=f"top={top}: wanted at least one class"):
            ask(top)
    assert not saved.exists()


def test_results_count_in_good_words():
    frames = np.zeros((12, 48, 64, 3), np.uint8)

    assert repr(brightness_classifier().timeline(frames, window=1)) == "<Timeline of <array>: 1 window, 1 segment>"
    assert repr(brightness_classifier()([frames], progress=False)) == "<Predictions of 1 video, 0 skipped>"


def test_a_name_that_is_no_utf8_prints_and_displays(tmp_path):
    path = plain_video(tmp_path / os.fsdecode(b"bad\xff.mp4"), [30] * 12)
    classifier = brightness_classifier()

    for answer in (classifier(path), classifier.timeline(path)):
        assert os.fsencode(answer.path) == os.fsencode(path)
        assert all("bad\\udcff.mp4" in shown for shown in (str(answer), repr(answer), answer.to_html()))
    several = classifier([path], progress=False)
    assert "\\udcff" in str(several)
    several._repr_html_().encode()
