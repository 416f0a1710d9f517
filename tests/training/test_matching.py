"""Who is to be found; which query answers for whom is in test_detection_loss.py, beside the loss."""

import torch

from vidattn.data.boxes.people import People
from vidattn.models.tubes import to_centers
from vidattn.training.matching import Targets


def test_who_is_on_no_asked_frame_is_not_looked_for():
    corners = torch.rand(3, 5, 2) * 0.5
    boxes = torch.cat((corners, corners + 0.1 + torch.rand(3, 5, 2) * 0.4), dim=-1)
    one = People(boxes, torch.ones(3, 5, dtype=torch.bool), torch.eye(4)[:3])
    one.present[0, 2] = False
    targets = Targets.of([one], 5, 1, 4, torch.device("cpu"))
    assert targets.there.tolist() == [[True, True]]
    torch.testing.assert_close(targets.boxes[0, 0, 0], to_centers(one.boxes[1, 2]))
