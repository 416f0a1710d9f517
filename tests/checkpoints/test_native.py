import pytest

from vidattn.checkpoints.native import floored, floored_sides, native_map


@pytest.mark.parametrize(
    ("said", "asked", "wanted", "note"),
    [
        (None, None, (14, 14), "assumed square, 224x224; the file does not say"),
        ((112, 448), None, (7, 28), ""),
        ((112, 448), (224, 224), (7, 28), ""),  # what the file says counts
        (None, (112, 448), (7, 28), "taken as 112x448, as asked for"),
        (None, (64, 64), (14, 14), "assumed square"),
        ((64, 64), None, (14, 14), "64x64, as its configuration says, has other places"),
    ],
)
def test_the_map_is_what_is_said_then_what_fits_then_a_square(said, asked, wanted, note):
    found, notes = native_map([197, 196], 16, said, asked)

    assert found == wanted
    assert note in "".join(notes)
    assert bool(notes) == bool(note)


def test_places_that_make_no_map_are_refused():
    with pytest.raises(ValueError, match=r"for 195 or 194 patches, which make no square; give image_size="):
        native_map([195, 194], 16, None, None)


def test_sizes_are_cut_as_a_convolution_cuts_them():
    assert floored_sides((224, 224), 16) == (224, [])
    size, notes = floored_sides((230, 225), 16)
    assert size == 224
    assert len(notes) == 2
    assert floored_sides((64, 230), 16)[0] == (64, 224)
    with pytest.raises(ValueError, match="num_frames=1 is less than one patch of 2"):
        floored("num_frames", 1, 2)
