"""Reversed motion is the other class to a model that uses time, and nothing at all to one that cannot."""

import pytest
import torch
from foreseen import LEVELS, brightness_classifier, plain_video
from motion_run import NORMALIZE, fresh, motion_clips, trained

from vidattn.classify.prediction import as_text
from vidattn.classify.temporal_probe import shuffled, temporal_probe


def batches(count=64):
    clips, labels, _ = motion_clips(count, seed=4)
    return list(zip(NORMALIZE(clips).split(24), labels.split(24), strict=True))


def test_a_model_that_learnt_motion_takes_the_reverse_for_the_opposite():
    probe = temporal_probe(trained(), batches())
    assert probe.accuracy["in order"] > 0.9
    assert probe.accuracy["reversed"] < 0.15
    assert probe.accuracy["shuffled"] < 0.8
    assert probe.accuracy["one frame repeated"] < 0.5
    assert probe.unchanged["in order"] == 1
    assert (probe.num_clips, probe.chance) == (64, 0.25)


def test_space_only_does_not_notice_the_order():
    probe = temporal_probe(fresh("space").eval(), batches(24))
    assert probe.unchanged["reversed"] == probe.unchanged["shuffled"] == 1
    assert probe.accuracy["in order"] == probe.accuracy["reversed"] == probe.accuracy["shuffled"]
    assert "Shuffled frames change no answer: their order means nothing to this model." in str(probe)


def test_what_the_model_is_shown():
    """Clips whose frames are numbers; `predict` writes them down."""
    seen = []

    def predict(clips):
        seen.append(clips[0, 0, :, 0, 0].tolist())
        return torch.zeros(len(clips), 2)

    temporal_probe(predict, [(torch.arange(5.0).view(1, 1, 5, 1, 1).expand(2, 3, -1, 1, 1), torch.zeros(2).long())])
    in_order, backwards, mixed, repeated = seen
    assert in_order == [0, 1, 2, 3, 4]
    assert backwards == [4, 3, 2, 1, 0]
    assert sorted(mixed) == in_order
    assert mixed not in (in_order, backwards)
    assert repeated == [2] * 5


def test_every_other_order_of_three_frames_is_drawn():
    generator = torch.Generator().manual_seed(0)
    drawn = {tuple(shuffled(3, generator).tolist()) for _ in range(100)}
    assert drawn == {(0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1)}


def test_prints_as_a_table_and_converts_to_plain_values():
    probe = temporal_probe(lambda clips: torch.eye(4)[[0, 1, 2, 3]], [(torch.zeros(4, 3, 4, 2, 2), torch.arange(4))])
    assert "one frame repeated" in str(probe)
    assert "4 clips, chance 25.0%" in str(probe)
    assert probe.to_dict()["accuracy"] == dict.fromkeys(["in order", "reversed", "shuffled", "one frame repeated"], 1.0)


def test_nothing_to_probe_with_is_said():
    with pytest.raises(ValueError, match="there are no clips to probe with"):
        temporal_probe(fresh(), [])
    with pytest.raises(ValueError, match="clips of 2 frames cannot be shuffled"):
        temporal_probe(fresh(), [(torch.zeros(1, 3, 2, 32, 32), torch.zeros(1).long())])


def test_a_classifier_is_probed_with_a_folder_of_videos(tmp_path):
    """It answers by the brightness of all frames, so only one frame repeated can change an answer."""
    for name, levels in {"dark": [30] * 8, "light": [220] * 8, "grey": [20, 30, 220, 230] * 2}.items():
        (tmp_path / name).mkdir()
        plain_video(tmp_path / name / "a.mp4", levels)
    probe = brightness_classifier(num_frames=4, frame_stride=1).temporal_probe(tmp_path, progress=False)
    assert probe.num_clips == 3
    assert probe.chance == pytest.approx(1 / 3)
    assert probe.accuracy["in order"] == probe.accuracy["reversed"] == probe.accuracy["shuffled"] == 1
    assert probe.accuracy["one frame repeated"] == pytest.approx(2 / 3)


def test_videos_that_cannot_be_read_are_left_out_of_the_probe_and_named(tmp_path):
    for name, level in LEVELS.items():
        (tmp_path / name).mkdir()
        plain_video(tmp_path / name / "a.mp4", [level] * 8)
    (tmp_path / "dark" / "broken.mp4").write_bytes(b"no video" * 100)

    probe = brightness_classifier().temporal_probe(tmp_path, progress=False)

    assert probe.num_clips == 3
    assert [path for path, _ in probe.skipped] == [str(tmp_path / "dark" / "broken.mp4")]
    assert "broken.mp4: cannot open it as a video" in as_text(probe, width=400)
    assert probe.to_dict()["skipped"][0]["path"].endswith("broken.mp4")


def test_listed_videos_that_are_not_there_are_named_too(tmp_path):
    plain_video(tmp_path / "a.mp4", [LEVELS["light"]] * 8)
    (tmp_path / "list.txt").write_text("gone.mp4 dark\na.mp4 light\n")

    probe = brightness_classifier().temporal_probe(tmp_path / "list.txt", progress=False)

    assert probe.num_clips == 1
    assert probe.skipped == [(str(tmp_path / "gone.mp4"), "no such file; check the list, and root")]


def test_a_list_may_start_from_a_root(tmp_path):
    (tmp_path / "videos").mkdir()
    plain_video(tmp_path / "videos" / "a.mp4", [LEVELS["light"]] * 8)
    (tmp_path / "list.txt").write_text("a.mp4 light\n")

    probe = brightness_classifier().temporal_probe(tmp_path / "list.txt", tmp_path / "videos", progress=False)

    assert probe.accuracy["in order"] == 1
    assert "1 clip, chance 33.3%" in str(probe)


@pytest.mark.parametrize("lines", ["a.mp4 0 1\nb.mp4 2\n", "a.mp4\nb.mp4\n"], ids=["several", "none"])
def test_lists_without_one_class_a_video_are_refused(tmp_path, lines):
    for name in ("a", "b"):
        plain_video(tmp_path / f"{name}.mp4", [30] * 8)
    (tmp_path / "list.txt").write_text(lines)
    with pytest.raises(ValueError, match=r"list\.txt: wanted one class for each video"):
        brightness_classifier().temporal_probe(tmp_path / "list.txt")
