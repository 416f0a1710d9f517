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
