import pytest

from vidattn.data.segment import WHOLE_FILE, Segment


def test_cells_that_are_empty_or_absent_say_nothing():
    assert Segment.of_cells({}) == WHOLE_FILE
    assert Segment.of_cells({"start": "", "end": None, "start_frame": "3"}) == Segment(start_frame=3)


@pytest.mark.parametrize("cells", [{"start": "soon"}, {"end_frame": "1.5"}])
def test_what_is_no_number_is_an_error(cells):
    with pytest.raises(ValueError, match=r"soon|1\.5"):
        Segment.of_cells(cells)
