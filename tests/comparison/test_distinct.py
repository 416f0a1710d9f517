import pytest

from vidattn.comparison.distinct import check_distinct


@pytest.mark.parametrize("schemes", [["joint", "divided", "space"], ["time+space", "space+time"], []])
def test_schemes_of_other_steps_or_another_order_are_distinct(schemes):
    check_distinct(schemes)


@pytest.mark.parametrize(
    ("schemes", "message"),
    [
        (["divided", "time + space"], "'time \\+ space' is the scheme 'divided' once more; give each scheme once"),
        (["axial", "time+width+height"], "is the scheme 'axial' once more"),
        (["joint", "jiont"], "did you mean 'joint'"),
    ],
)
def test_one_scheme_under_two_names_is_refused(schemes, message):
    with pytest.raises(ValueError, match=message):
        check_distinct(schemes)


def test_one_string_is_no_list_of_letters():
    with pytest.raises(TypeError, match=r"give a list, such as \['joint'\]"):
        check_distinct("joint")
