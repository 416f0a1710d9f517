import numpy as np
import pytest
import torch

from vidattn.classify.live.ring import Ring


def fed(ring, seconds):
    """The ring after frames at these seconds, each of which is a picture of its second."""
    for one in seconds:
        ring.put(one, torch.full((1, 3, 1, 1), one) if ring.wants(one) else None, came=one)
    return ring


def shown(window):
    """When the frames of a window are shown."""
    return [round(frame.seconds, 6) for frame in window.frames]


@pytest.mark.parametrize(
    ("count", "between", "step", "fps"), [(4, 0.5, 1.0, 10), (3, 0.2, 0.05, 10), (2, 0.3, 5.0, 30), (8, 0.1, 0.7, 24)]
)
def test_every_window_has_the_first_frames_at_or_after_its_instants(count, between, step, fps):
    ring, times, found = Ring(count, between, step), np.arange(20 * fps) / fps, []
    for second in times:
        fed(ring, [second])
        if ring.is_due:
            found.append(shown(ring.take()))

    wanted = []
    number = 0
    while (instants := number * step + np.arange(count) * between)[-1] <= times[-1] + 1e-9:
        wanted.append([round(float(times[np.searchsorted(times, one - 1e-9)]), 6) for one in instants])
        number += 1
    if step >= 1 / fps:
        assert found == wanted
        assert (ring.dropped, ring.skipped) == (0, 0)
    else:  # several windows end with each frame: the newest has the answer
        assert found == [one for one, later in zip(wanted, [*wanted[1:], [None]], strict=True) if one[-1] != later[-1]]
        assert ring.skipped == len(wanted) - len(found)
    assert ring.frames == len(times)


def test_only_frames_that_are_looked_at_are_held_and_never_more_than_a_window_and_a_step():
    ring, most = Ring(4, 0.5, 1.0), 0
    for second in np.arange(3000) / 30:  # nobody takes a window
        fed(ring, [second])
        most = max(most, len(ring.held))

    assert most <= 4 + 2
    assert shown(ring.take()) == pytest.approx([98, 98.5, 99, 99.5])
    assert ring.skipped == 98
    assert ring.dropped == 196  # each half second's, up to the window that was taken
    assert ring.take() is None


def test_frames_of_two_windows_are_the_same_and_are_dropped_only_where_neither_was_answered():
    ring = fed(Ring(4, 1.0, 1.0), [0, 1, 2, 3])
    first = ring.take()
    second = fed(ring, [4]).take()
    assert first.frames[1:] == second.frames[:-1]

    fed(ring, [5, 6, 7, 8, 9, 10])
    assert shown(ring.take()) == [7, 8, 9, 10]
    assert ring.dropped == 2  # 5 and 6; 2 to 4 had been looked at
    assert ring.skipped == 5


def test_slow_frames_stand_for_several_instants():
    ring = fed(Ring(4, 0.5, 1.0), [0, 1.2, 2.4])

    assert shown(ring.take()) == [0, 1.2, 1.2, 2.4]


@pytest.mark.parametrize("later", [0.0, 500.0])
def test_where_the_clock_jumps_windows_begin_anew(later):
    ring = fed(Ring(2, 1.0, 1.0), [3, 4, 5])
    assert shown(ring.take()) == [4, 5]

    fed(ring, [later])
    assert (ring.take(), ring.restarts, len(ring.held)) == (None, 1, 1)
    assert shown(fed(ring, [later + 1]).take()) == [later, later + 1]
