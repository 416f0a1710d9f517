import pytest

from vidattn.data.readers.declared import is_cut_off


@pytest.mark.parametrize(
    ("seconds", "declared", "cut"),
    [(10, None, False), (9.5, 10, False), (8.9, 10, True), (95.5, 100, False), (94, 100, True)],
)
def test_more_than_a_second_and_a_twentieth_must_be_missing(seconds, declared, cut):
    assert is_cut_off(seconds, declared) is cut
