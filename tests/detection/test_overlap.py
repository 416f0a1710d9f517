import numpy as np
import torch
from torchvision.ops import box_iou

from vidattn.detection.overlap import iou, pairs


def test_overlaps_are_torchvisions():
    rng = np.random.default_rng(0)
    corners = rng.random((2, 20, 2, 2))
    one, other = np.concatenate([corners.min(2), corners.max(2)], -1)

    np.testing.assert_allclose(iou(one, other), box_iou(torch.from_numpy(one), torch.from_numpy(other)), atol=1e-12)
    np.testing.assert_allclose(pairs(one, other), iou(one, other).diagonal())


def test_empty_boxes_overlap_nothing_and_none_is_no_error():
    assert iou(np.zeros((1, 4)), np.zeros((1, 4))) == 0
    assert iou(np.empty((0, 4)), np.ones((3, 4))).shape == (0, 3)
