import io
import warnings

import numpy as np

from vidattn.plots import fonts
from vidattn.plots.attention_maps import plot_attention
from vidattn.plots.confusion import plot_confusion
from vidattn.plots.over_time import plot_timeline

PICTURE = np.zeros((1, 8, 8, 3), np.uint8)


def drawings(name):
    """Every figure with names of classes in it."""
    yield plot_attention(PICTURE, np.ones((1, 2, 2)) / 4, f"{name} 90.0%")
    yield plot_timeline(np.ones(1), [name], {0: np.ones(1)}, [(0, 2, 0)], PICTURE, [1.0], 2.0, name)
    yield plot_confusion(np.eye(2), [name, "run"], "")


def warned(draw):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        draw()
    return [str(one.message) for one in caught]


def test_letters_that_the_font_lacks_come_from_another_that_is_installed(monkeypatch):
    name = "\u1d8d"  # not in DejaVu Sans, but in a font that matplotlib brings
    monkeypatch.setattr(fonts, "FALLBACKS", ("No Such Font", "STIXGeneral"))

    for figure in drawings(name):
        assert warned(lambda figure=figure: figure.savefig(io.BytesIO())) == []


def test_letters_that_no_font_has_are_boxes_without_a_warning(monkeypatch):
    monkeypatch.setattr(fonts, "FALLBACKS", ())

    for figure in drawings("日本"):
        assert any("missing from" in line for line in warned(lambda figure=figure: figure.savefig(io.BytesIO())))
        assert warned(lambda figure=figure: fonts.save(figure, io.BytesIO())) == []


def test_dollars_are_no_formula():
    for figure in drawings(r"$\frac$"):  # a formula that cannot be parsed
        fonts.save(figure, io.BytesIO())
