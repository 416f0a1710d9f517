"""Every image block by its name in a scheme: what one pixel sees of it, what it costs, and its paper."""

from vidattn.attention.base import ImageAttention
from vidattn.attention.scheme import IMAGE_STEPS, STEPS


def image_table() -> list[dict[str, str]]:
    """A row for each name, in the order of the names; `ImageAttention` says what the columns mean.

    >>> next(row for row in image_table() if row["name"] == "criss_cross")
    {'name': 'criss_cross', 'sees': 'its row and column', 'cost': 'N (H + W) C', 'paper': 'CCNet 1811.11721'}
    """
    rows = []
    for name in IMAGE_STEPS:
        found = STEPS[name]
        cls = found[-1] if isinstance(found, tuple) else found  # of several that take turns, the one that is new
        assert issubclass(cls, ImageAttention)
        rows.append({"name": name, "sees": cls.sees, "cost": cls.cost, "paper": cls.paper})
    return rows
