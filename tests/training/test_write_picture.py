import pytest
from matplotlib.figure import Figure
from PIL import Image

from vidattn.training.write_picture import write_picture


def test_a_picture_is_written(tmp_path):
    assert write_picture(lambda: Figure(figsize=(2, 1)), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (240, 120)


@pytest.mark.parametrize("place", ["a.png", "no/such/folder/a.png"])
def test_whatever_fails_is_a_warning(tmp_path, place):
    def draw():
        if place == "a.png":
            raise KeyError("a font")
        return Figure()

    with pytest.warns(UserWarning, match="could not be drawn .*; the scorecard is complete without"):
        assert not write_picture(draw, tmp_path / place)
    assert not list(tmp_path.iterdir())
