"""What leads from one stage to the next, by its spec."""

import pytest

from vidattn.models.downsampling import ConvPool, MaxPool, Merge, parse_downsampling


def test_a_spec_is_a_name_with_numbers():
    assert parse_downsampling(" merge ") == Merge()
    assert parse_downsampling("conv_pool(1, 4, 4)") == ConvPool(1, 4, 4)
    assert parse_downsampling("max_pool(1,8,8)") == MaxPool(1, 8, 8)


@pytest.mark.parametrize("spec", ["conv_pool(1,2,2,2)", "conv_pool(0,2,2)"])
def test_numbers_that_do_not_fit_are_refused(spec):
    with pytest.raises(ValueError, match=r"conv_pool takes \(t, h, w\), from 1 up"):
        parse_downsampling(spec)


def test_maxima_need_even_maps_that_units_fill():
    assert [length for length in range(1, 25) if MaxPool(1, 8, 8).fits(length)] == [2, 4, 6, 8, 16, 24]
    assert all(MaxPool().fits(length) == (length % 2 == 0) for length in range(1, 9))
    assert Merge().fits(7)
    assert ConvPool().fits(7)
