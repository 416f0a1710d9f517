import math

import numpy as np
import pytest

from vidattn.checks import check_above_zero, check_odd, check_positive, check_rate, is_whole


@pytest.mark.parametrize(
    ("check", "good", "bad", "message"),
    [
        (check_positive, 1, 0, "n=0 must be at least 1"),
        (check_above_zero, 0.1, math.nan, "n=nan must be more than 0"),
        (check_odd, 3, 4, "n=4 must be odd, such as 5"),
        (check_odd, 1, -3, "n=-3 must be odd, such as 1"),
        (check_rate, 0.0, 1.0, "n=1.0 is not a probability below 1"),
    ],
)
def test_the_argument_is_named_with_its_value(check, good, bad, message):
    check(n=good)
    with pytest.raises(ValueError, match=message):
        check(n=bad)


def test_whole_numbers_of_numpy_count_and_truth_does_not():
    assert is_whole(np.int64(3))
    assert not is_whole(True)
