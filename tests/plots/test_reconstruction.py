import numpy as np
import pytest

from vidattn.plots.reconstruction import HIDDEN, plot_reconstructions


@pytest.mark.parametrize("frames", [2, 16])
def test_what_was_seen_stands_as_it_was_and_the_rest_as_it_was_painted(frames):
    clip, painted = np.full((frames, 4, 4, 3), 0.25), np.full((frames, 4, 4, 3), 1.5)
    seen = np.zeros((frames, 4, 4), bool)
    seen[:, :2] = True

    figure = plot_reconstructions([(clip, painted, seen), (clip, painted, seen)], "title")

    shown = min(frames, 8)
    assert len(figure.axes) == 2 * 3 * shown
    whole, partly, made = (figure.axes[row * shown].images[0].get_array() for row in range(3))
    assert (whole == 0.25).all()
    assert (partly[:2] == 0.25).all()
    assert (partly[2:] == HIDDEN).all()
    assert (made[:2] == 0.25).all()
    assert (made[2:] == 1).all()  # no brighter than white
