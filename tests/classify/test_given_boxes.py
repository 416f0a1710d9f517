import numpy as np

from vidattn.classify.given_boxes import chained


def test_boxes_of_neighbouring_frames_are_one_person_where_they_overlap_most():
    left, right = np.array([0.1, 0.1, 0.4, 0.5]), np.array([0.5, 0.1, 0.8, 0.5])
    step = np.array([0.05, 0, 0.05, 0])
    whole, own = chained([np.stack([left, right]), np.stack([right + step, left + step]), left[None] + 2 * step])
    assert own.tolist() == [[True, True, True], [True, True, False]]
    np.testing.assert_allclose(whole[0], np.stack([left, left + step, left + 2 * step]), atol=1e-6)
    np.testing.assert_allclose(whole[1], np.stack([right, right + step, right + step]), atol=1e-6)


def test_a_box_far_from_all_is_somebody_else():
    whole, own = chained([np.array([[0.0, 0, 0.2, 0.2]]), np.array([[0.8, 0.8, 1, 1]])])
    assert own.tolist() == [[True, False], [False, True]]
    assert whole.shape == (2, 2, 4)


def test_no_boxes_are_no_tubes():
    whole, own = chained([np.zeros((0, 4))] * 3)
    assert whole.shape == (0, 3, 4)
    assert own.shape == (0, 3)
