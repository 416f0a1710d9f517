from collections import Counter

import pytest

from vidattn.data.boxes.windows import windows


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("asked", [[0, 1, 2, 3], [2], [0, 3], [1, 2]])
@pytest.mark.parametrize(("first", "stop"), [(0, 1), (0, 3), (0, 23), (5, 28)])
def test_every_wanted_frame_is_answered_once_at_an_asked_place_by_a_clip_that_stays_inside(stride, asked, first, stop):
    found = windows(7, range(stop), first, stop, 4, stride, asked)

    answered = Counter(answer for one in found for answer in one.answers if answer >= 0)
    assert answered == Counter(range(first, stop))
    for one in found:
        assert one.video == 7
        assert all(first <= frame < stop for frame in one.frames)
        assert all(
            later - earlier in range(stride + 1) for earlier, later in zip(one.frames, one.frames[1:], strict=False)
        )
        for place, (frame, answer) in enumerate(zip(one.frames, one.answers, strict=True)):
            assert answer == -1 or (answer == frame and place in asked)


def test_clips_are_few_and_whole_where_the_video_is_long_enough():
    found = windows(0, range(40), 0, 40, 8, 2, list(range(8)))
    assert len(found) == 6  # three pairs of 16 frames
    assert all(len(set(one.frames)) == 8 for one in found)


def test_frames_between_those_that_are_wanted_are_shown_and_not_answered_for():
    found = windows(0, [30, 60], 0, 100, 5, 2, [2])
    assert [one.frames for one in found] == [(26, 28, 30, 32, 34), (56, 58, 60, 62, 64)]
    assert [one.answers[2] for one in found] == [30, 60]
