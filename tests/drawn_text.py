"""Whether the text of a figure can be read: nothing cut by a frame or by the figure, nothing over other text."""

from itertools import combinations

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text


def check_text(figure: Figure) -> None:
    """All text lies in the figure, what is written into a panel lies in its frame, and none covers other text."""
    figure.draw_without_rendering()
    shown = [*figure.texts]
    for axes in figure.axes:
        for text in axes.texts:
            check_inside(text, axes.get_window_extent())
        shown += [*axes.texts, axes.title, axes._left_title, axes._right_title]
        if axes.axison:
            shown += [label for axis in (axes.xaxis, axes.yaxis) for label in (axis.label, *ticks(axis))]
    shown += [text for legend in figure.legends for text in legend.get_texts()]
    shown = [text for text in shown if text is not None and text.get_text()]
    for text in shown:
        check_inside(text, figure.bbox)
    boxes = [(text, text.get_window_extent()) for text in shown]
    for (one, box), (other, other_box) in combinations(boxes, 2):
        assert not box.overlaps(other_box), f"{one} over {other}"


def ticks(axis: Axis) -> list[Text]:
    """The labels of those ticks that are drawn."""
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


def check_inside(text: Text, frame) -> None:
    box = text.get_window_extent()
    assert frame.x0 <= box.x0 <= box.x1 <= frame.x1, f"{text} is cut"
    assert frame.y0 <= box.y0 <= box.y1 <= frame.y1, f"{text} is cut"
