import numpy as np

from vidattn.data.boxes.video_boxes import VideoBoxes, linked, merged


def test_rows_of_one_person_in_one_frame_are_one_box_with_all_labels():
    boxes = np.array([[0, 0, 1, 1], [0.5, 0.5, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]])
    there = merged([4, 2, 4, 3], boxes, [0, 1, 2, 0], ["a", "b", "a", "a"], num_classes=3)

    assert there.frames.tolist() == [2, 3, 4]
    assert there.persons.tolist() == [0, 1, 1]
    assert there.actions.astype(int).tolist() == [[0, 1, 0], [1, 0, 0], [1, 0, 1]]
    assert there.rows_of(4) == slice(2, 3)
    assert there.rows_of(5) == slice(3, 3)


def test_without_names_the_same_box_in_the_same_frame_is_one_person():
    boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0.5, 1]])
    there = merged([0, 0, 0], boxes, [0, 1, 0], ["", "", ""], num_classes=2)

    assert there.actions.astype(int).tolist() == [[1, 1], [1, 0]]


def test_one_box_a_frame_is_one_person_however_far_it_jumps():
    frames = np.array([0, 1, 5])
    boxes = np.array([[0, 0, 0.1, 0.1], [0.8, 0.8, 1, 1], [0, 0, 0.1, 0.1]])
    assert linked(frames, boxes).tolist() == [0, 0, 0]


def test_two_who_walk_past_each_other_keep_who_they_are_whatever_their_order_in_the_list():
    frames = np.array([0, 0, 1, 1, 2, 2, 2])
    left = [[0.1 * t, 0, 0.1 * t + 0.3, 0.5] for t in range(3)]
    right = [[0.6 - 0.1 * t, 0.5, 0.9 - 0.1 * t, 1] for t in range(3)]
    boxes = np.array([left[0], right[0], right[1], left[1], [0, 0.9, 0.1, 1], left[2], right[2]])

    assert linked(frames, boxes).tolist() == [0, 1, 1, 0, 2, 0, 1]


def test_a_video_without_boxes_has_no_frames():
    none = VideoBoxes.none(3)
    assert none.listed_frames == []
    assert none.actions[none.rows_of(0)].shape == (0, 3)
