"""Every frame of a video is answered for once, with what the task says of the window that it is in."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image
from untrained_detector import NAMES, write_untrained

from vidattn import Classifier, Detector, build_network
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checkpoints.renaming import WeightsError
from vidattn.classify.show.drawn import draw_on
from vidattn.classify.show.film import write_film
from vidattn.classify.video_detections import VideoDetections, write_csv, write_json
from vidattn.cli import main
from vidattn.data.boxes.any_box_list import read_boxes
from vidattn.detection.tubes import Tube
from vidattn.mistakes import Mistake
from vidattn.models.query_decoder import Given
from vidattn.models.tubes import on_each_frame, to_centers

VIDEO = np.random.default_rng(0).integers(0, 255, (11, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module", params=[1, 2])
def both(request, tmp_path_factory):
    """A detector, and the task that its checkpoint is of."""
    file = tmp_path_factory.mktemp("untrained") / "one.ckpt"
    task = write_untrained(file, request.param)
    return Detector.from_pretrained(file, device="cpu", batch_size=3, least=0.0), task


def test_every_frame_is_answered_for_once(both):
    detector, _ = both
    found = detector(VIDEO, fps=10)
    assert [frame.frame for frame in found.frames] == list(range(11))
    assert found.class_names == NAMES
    assert found.seconds[10] == pytest.approx(1.0)
    assert all(len(frame.boxes) == 4 for frame in found.frames)


@torch.no_grad()
def test_an_answer_is_what_the_task_says_of_the_window(both):
    detector, task = both
    asked = detector.asked
    clip = torch.from_numpy(VIDEO[[0, 2, 4, 6]]).permute(3, 0, 1, 2)[None]
    said, _ = task(clip)
    boxes, scores = on_each_frame(said, task.actions.scores(said.logits[-1]))
    frame = detector(VIDEO).frames[2 * asked[0]]
    if task.queries.num_boxes == 2:  # frames 0, 2, 4, 6 make no window: its first asked frame is not the video's first
        clip = torch.from_numpy(VIDEO[[0, 0, 2, 4]]).permute(3, 0, 1, 2)[None]
        said, _ = task(clip)
        boxes, scores = on_each_frame(said, task.actions.scores(said.logits[-1]))
        frame = detector(VIDEO).frames[0]
    np.testing.assert_allclose(frame.boxes, boxes[0, :, 0], atol=1e-5)
    np.testing.assert_allclose(frame.scores, scores[0, :, 0], atol=1e-5)


def test_boxes_may_be_given_by_frame_in_turn_or_by_a_function_and_come_back_as_they_were(both):
    detector, _ = both
    boxes = {frame: [[0.1, 0.2, 0.5, 0.6 + frame / 50]] for frame in (0, 3, 4)}
    one = detector(VIDEO, boxes)
    in_turn = detector(VIDEO, [boxes.get(frame, []) for frame in range(11)])
    asked = []

    def person(frame, picture):
        asked.append(frame)
        assert picture.shape == (32, 32, 3)
        return boxes.get(frame, ())

    by_function = detector(VIDEO, person)
    assert sorted(asked) == list(range(11))
    for frame, other, third in zip(one.frames, in_turn.frames, by_function.frames, strict=True):
        np.testing.assert_array_equal(frame.scores, other.scores)
        np.testing.assert_array_equal(frame.scores, third.scores)
        np.testing.assert_allclose(frame.boxes, np.reshape(boxes.get(frame.frame, []), (-1, 4)), atol=1e-6)


@torch.no_grad()
def test_actions_of_given_boxes_are_those_of_the_decoder(both):
    detector, task = both
    count = task.queries.num_boxes
    box = torch.tensor([0.2, 0.1, 0.6, 0.9])
    frames = [0, 0, 2, 4] if count == 2 else [0, 0, 0, 2]
    clip = torch.from_numpy(VIDEO[frames]).permute(3, 0, 1, 2)[None]
    given = Given(to_centers(box).expand(1, 1, count, 4), torch.zeros(1, 1).long())
    _, said = task(clip, given)
    wanted = task.actions.scores_of_given(said.logits[-1])[0, 0]
    found = detector(VIDEO, lambda frame, picture: box[None])
    np.testing.assert_allclose(found.frames[0].scores[0], wanted, atol=1e-5)


def test_wrong_boxes_are_named_with_their_frame(both):
    detector, _ = both
    with pytest.raises(Mistake, match="boxes of frame 0 reach from 3 to 30; wanted fractions of the picture"):
        detector(VIDEO, {0: [[3, 4, 20, 30]]})
    with pytest.raises(Mistake, match=r"boxes of frame 2: \[\[0.5, 0.1.*\]\]; wanted rows of x1, y1, x2, y2"):
        detector(VIDEO, {2: [[0.5, 0.1, 0.2, 0.9]]})
    with pytest.raises(Mistake, match="boxes of 3 frames, and the video has a frame"):
        detector(VIDEO, [[]] * 3)


def test_a_network_without_a_decoder_is_refused_with_the_next_move(tmp_path, both):
    network = build_network(both[1].config)
    half = (0.5, 0.5, 0.5)
    Pretrained(network, NAMES, {"mean": half, "std": half}).save_pretrained(tmp_path / "other")
    with pytest.raises(WeightsError, match="holds no detector of actions; train one"):
        Detector.from_pretrained(tmp_path / "other")


def test_a_detector_is_no_classifier_and_the_next_move_is_said(tmp_path, capsys):
    write_untrained(tmp_path / "one.ckpt")
    with pytest.raises(WeightsError, match=r"a detector of actions, which has no head .* ask vidattn detect"):
        Classifier.from_pretrained(tmp_path / "one.ckpt")
    main(["convert", str(tmp_path / "one.ckpt"), "--out", str(tmp_path / "folder")])
    assert "decoder: left out; the folder holds the network alone" in capsys.readouterr().out
    with pytest.raises(WeightsError, match="holds no detector of actions"):
        Detector.from_pretrained(tmp_path / "folder")


@pytest.fixture
def found():
    tubes = [
        Tube("a.mp4", 1, 0.9, np.array([1, 2, 3]), np.array([[0.25, 0.25, 0.75, 0.75]] * 3)),
        Tube("a.mp4", 0, 0.5, np.array([2]), np.array([[0.0, 0.0, 0.5, 0.5]])),
    ]
    return VideoDetections("a.mp4", NAMES, [frame / 10 for frame in range(11)], [], tubes)


def test_tubes_are_told_and_written_as_a_list_that_training_takes(found, tmp_path):
    assert found.summary()[0] == {"tube": 0, "action": "jump", "score": 0.9, "from": 0.1, "to": 0.3, "boxes": 3}
    write_csv(tmp_path / "boxes.csv", [found])
    rows = list(csv.DictReader((tmp_path / "boxes.csv").open()))
    assert [row["label"] for row in rows] == ["jump"] * 3 + ["run"]
    (tmp_path / "a.mp4").write_bytes(b"")
    assert len(read_boxes(tmp_path / "boxes.csv", None).rows) == 4
    write_json(tmp_path / "boxes.json", [found])
    assert "jump" in (tmp_path / "boxes.json").read_text()


def test_a_film_has_a_frame_around_each_box_while_its_tube_lasts(found, tmp_path):
    dark = np.zeros((11, 64, 64, 3), np.uint8)
    write_film(tmp_path / "film.gif", dark, found, fps=10)
    write_film(tmp_path / "film.mp4", dark, found, fps=10)
    with Image.open(tmp_path / "film.gif") as film:
        lit = []
        for frame in range(film.n_frames):
            film.seek(frame)
            lit.append(bool(np.array(film.convert("RGB")).any()))
            seconds = film.info["duration"]
    assert lit == [False, True, True, True][: len(lit)] + [False] * (len(lit) - 4)
    assert seconds >= 100
    assert (tmp_path / "film.mp4").stat().st_size > 500
    picture = np.array(draw_on(Image.new("RGB", (64, 64)), found, 3))
    assert picture[32, 16].any()  # the left side
    assert not picture[40, 32].any()  # the inside
    with pytest.raises(Mistake, match=r"ends in \.gif or \.mp4"):
        write_film(tmp_path / "film.avi", dark, found)
