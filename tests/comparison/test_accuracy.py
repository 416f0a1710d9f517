import pytest

from vidattn.comparison.accuracy import of_schemes, read_accuracy


def written(folder, *lines):
    path = folder / "accuracy.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")  # as spreadsheets do
    return str(path)


def test_sets_and_intervals_are_read_where_they_are_given(tmp_path):
    path = written(tmp_path, "set,attention,top1,half_interval", "motion,joint,0.9,0.02", "motion,space,0.2,nan")

    assert read_accuracy(path) == {"motion": {"joint": (0.9, 0.02), "space": (0.2, 0)}}
    assert read_accuracy(written(tmp_path, "attention,top1", "joint,1")) == {"accuracy": {"joint": (1.0, 0)}}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["scheme,top1", "joint,0.9"], "must have the columns attention and top1"),
        (["attention,top1"], "has no line below its columns"),
        (["attention,top1", "joint"], "line 2 is shorter than the first line"),
        (["attention,top1", "joint,90"], r"top1=90\.0 of joint is not a share; write 0\.78 for 78%"),
        (["attention,top1", "joint,90%"], r"line 2: .*90%.*; write 0\.78"),
        (["attention,top1", "joint,0.9", "joint,0.8"], "line 3: joint of accuracy stands there twice"),
    ],
)
def test_a_file_that_says_something_else_is_refused_with_the_line(tmp_path, lines, message):
    with pytest.raises(ValueError, match=message):
        read_accuracy(written(tmp_path, *lines))


def test_accuracies_are_found_by_the_scheme_whatever_its_name():
    found, gaps = of_schemes({"a": {"divided": (0.5, 0), "mine": (0.1, 0)}}, ["time+space", "joint"])

    assert found == {"a": {"time+space": (0.5, 0)}}
    assert gaps == ["a: nothing about joint", "a: mine is not compared"]
    with pytest.raises(ValueError, match="no accuracy is of a scheme that is compared"):
        of_schemes({"a": {"mine": (0.1, 0)}}, ["joint"])
    with pytest.raises(ValueError, match="'time\\+space' is the scheme 'divided' once more"):
        of_schemes({"a": {"divided": (0.5, 0), "time+space": (0.4, 0)}}, ["divided"])
