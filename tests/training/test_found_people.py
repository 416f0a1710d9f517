import pytest
import torch

from vidattn.models.actions import Ratio
from vidattn.training.found_people import FoundPeople, LossSums


def test_frames_that_were_answered_for_come_back_by_video_and_number():
    found = FoundPeople(num_actions=2)
    torch.manual_seed(0)
    boxes, scores = torch.rand(2, 3, 2, 4), torch.rand(2, 3, 2, 2)
    found.update(boxes, scores, torch.tensor([7, 2]), torch.tensor([[4, -1], [30, 29]]))
    found.update(torch.zeros(0, 3, 2, 4), torch.zeros(0, 3, 2, 2), torch.zeros(0).long(), torch.zeros(0, 2).long())
    frames = found.compute()
    assert [(frame.video, frame.frame) for frame in frames] == [("2", 29), ("2", 30), ("7", 4)]
    assert torch.from_numpy(frames[0].boxes).equal(boxes[1, :, 1])
    assert torch.from_numpy(frames[1].scores).equal(scores[1, :, 0])


def test_numbers_of_frames_stay_whole_beyond_what_half_precision_holds():
    found = FoundPeople(1)
    number = 2**24 + 1
    found.update(torch.rand(1, 1, 1, 4), torch.rand(1, 1, 1, 1), torch.tensor([0]), torch.tensor([[number]]))
    assert found.compute()[0].frame == number


def test_nothing_found_is_no_frame():
    found = FoundPeople(2)
    found.update(torch.zeros(0, 0, 1, 4), torch.zeros(0, 0, 1, 2), torch.zeros(0).long(), torch.zeros(0, 1).long())
    assert found.compute() == []


def test_sums_do_not_depend_on_how_clips_were_batched():
    torch.manual_seed(1)
    totals, overs = torch.rand(4, 2), torch.rand(4, 1).expand(-1, 2)
    whole, parts = LossSums(["actions", "l1"]), LossSums(["actions", "l1"])
    whole.update({"actions": [Ratio(totals.sum(0), overs.sum(0))]})
    for total, over in zip(totals, overs, strict=True):
        parts.update({"actions": [Ratio(total, over)]})
    (one,), (other,) = whole.compute()["actions"], parts.compute()["actions"]
    assert (one.total / one.over).item() == pytest.approx((other.total / other.over).item())
    assert list(parts.compute()) == ["actions"]
