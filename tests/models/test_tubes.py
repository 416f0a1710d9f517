import pytest
import torch

from vidattn.mistakes import Mistake
from vidattn.models.tubes import (
    Detections,
    asked_frames,
    asked_times,
    logit,
    on_each_frame,
    spread_out,
    to_centers,
    to_corners,
    waves,
)


@pytest.mark.parametrize(("frames", "asked"), [(8, 1), (8, 3), (5, 5), (16, 4)])
def test_asked_frames_stand_for_parts_of_the_clip_of_equal_length(frames, asked):
    parts = torch.arange(asked + 1) / asked
    times = asked_times(frames, asked)
    assert len(set(asked_frames(frames, asked))) == asked
    assert ((parts[:-1] < times) & (times <= parts[1:] + 0.5 / frames)).all()


def test_more_asked_frames_than_there_are_are_refused_with_both_numbers():
    with pytest.raises(Mistake, match="9 frames of a clip of 8"):
        asked_frames(8, 9)


def test_corners_and_centres_are_torchvisions():
    from torchvision.ops import box_convert

    corners = torch.tensor([[0.1, 0.2, 0.5, 0.9], [0.0, 0.0, 1.0, 1.0]])
    torch.testing.assert_close(to_centers(corners), box_convert(corners, "xyxy", "cxcywh"))
    torch.testing.assert_close(to_corners(to_centers(corners)), corners)


def test_logits_are_finite_where_boxes_touch_the_edge():
    assert logit(torch.tensor([0.0, 1.0])).isfinite().all()


def test_waves_tell_numbers_apart_that_are_a_hundredth_apart():
    told = waves(torch.linspace(0, 1, 101)[:, None], 16)
    assert told.shape == (101, 16)
    assert torch.cdist(told, told).fill_diagonal_(9).min() > 0.3


def test_first_centres_leave_no_quarter_of_a_picture_out():
    cells = (spread_out(8) * 2).long()
    assert len({tuple(cell.tolist()) for cell in cells}) == 4


def test_a_score_is_less_where_a_person_is_hardly_shown():
    found = Detections(torch.full((1, 1, 1, 2, 4), 0.5), torch.zeros(1, 1, 1, 3), torch.tensor([[[[9.0, -9.0]]]]))
    boxes, scores = on_each_frame(found, torch.tensor([[[0.8, 0.2]]]))
    assert boxes[0, 0, 0].tolist() == [0.25, 0.25, 0.75, 0.75]
    assert scores[0, 0, 0].tolist() == pytest.approx([0.8, 0.2], abs=1e-3)
    assert scores[0, 0, 1].max() < 1e-3
