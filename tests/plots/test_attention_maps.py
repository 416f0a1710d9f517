import numpy as np
import pytest

from vidattn.plots.attention_maps import plot_attention


def test_a_bar_for_each_frame_and_two_pictures_for_sixteen_of_them():
    shares = np.random.default_rng(0).random((20, 2, 2))
    shares /= shares.sum()

    *pictures, bars = plot_attention(np.zeros((20, 8, 8, 3), np.uint8), shares, "run 90.0%").axes

    assert len(pictures) == 32
    assert [bar.get_height() for bar in bars.patches] == pytest.approx(shares.sum((1, 2)))
    assert [text.get_text() for text in bars.get_xticklabels()][:3] == ["0", "1", "3"]
    assert bars.lines[0].get_ydata()[0] == pytest.approx(1 / 20)


def heavy(frames, most):
    """Shares of so many frames, one of which counts most."""
    shares = np.full((frames, 2, 2), 1.0)
    shares[most] = 2
    return shares / shares.sum()


@pytest.mark.parametrize("frames", [2, 8])
def test_the_whole_title_is_seen(frames):
    name = "putting_something_that_cannot_actually_stand_upright_upright_on_the_table" * (frames // 2)
    title = f"{name} 12.3%, gradient-weighted rollout; most of it at 12.3 s (12%)"

    figure = plot_attention(np.zeros((frames, 8, 8, 3), np.uint8), heavy(frames, 0), title)

    figure.draw_without_rendering()
    box, whole = figure._suptitle.get_window_extent(), figure.bbox
    assert whole.x0 < box.x0 < box.x1 < whole.x1
    assert box.y1 < whole.y1


@pytest.mark.parametrize("most", [0, 17, 32])
def test_the_frame_that_counts_most_is_among_the_pictures(most):
    frames = np.arange(33, dtype=np.uint8)[:, None, None, None].repeat(8, 1).repeat(8, 2).repeat(3, 3)

    *pictures, bars = plot_attention(frames, heavy(33, most), "run", [f"{one} s" for one in range(33)]).axes

    shown = [int(axes.images[0].get_array().max()) for axes in pictures[::2]]
    assert most in shown
    assert len(shown) == 16
    assert shown == sorted(shown)
    assert [text.get_text() for text in bars.get_xticklabels()] == [f"{one} s" for one in shown]
