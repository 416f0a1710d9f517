"""What the choice among settings may see, and what not."""

import pytest
import torch

from vidattn.probing import LabelledRows, evaluate
from vidattn.probing.protocol import cross_validated, parts_by_source


class Parrot:
    """Setting 0 answers 0, setting 1 answers 1, setting 2 what the label of the nearest training video is; notes what
    it was trained on."""

    settings = ("zero", "one", "nearest")

    def __init__(self):
        self.trained_on = []

    def fit(self, rows, num_classes, seed=0):
        self.trained_on.append(sorted(rows.means().flatten().tolist()))
        kind = self

        class Fitted:
            def probabilities(self, asked):
                distances = (asked.means()[:, None] - rows.means()[None]).abs().sum(-1)
                nearest = rows.labels[distances.argmin(1)]
                zero, one = torch.zeros_like(nearest), torch.ones_like(nearest)
                return torch.nn.functional.one_hot(torch.stack((zero, one, nearest)), num_classes).float()

        assert kind is self
        return Fitted()


def rows_of(numbers, labels):
    return LabelledRows([torch.tensor([[float(number)]]) for number in numbers], torch.tensor(labels))


def test_the_setting_is_chosen_on_validation_videos_whatever_the_test_says():
    train = rows_of([0, 10], [0, 1])
    validation = rows_of([3, 4], [1, 1])  # setting "one" is right, "nearest" is not
    test = rows_of([1, 2, 9], [0, 0, 1])  # "nearest" would be right about all

    found = evaluate(Parrot(), train, validation, test, 2)

    assert found.chosen == 1
    assert found.validation.tolist() == [0, 1, 0]
    assert found.right.tolist() == [False, False, True]
    assert found.top1 == pytest.approx(1 / 3)


def test_no_source_is_on_both_sides_of_a_fold():
    """Two videos of a source are alike: with one of them in training, the nearest is always right."""
    numbers, labels = [0, 1, 100, 101, 200, 201], [0, 0, 1, 1, 0, 0]
    kind = Parrot()

    accuracy = cross_validated(kind, rows_of(numbers, labels), ["a", "a", "b", "b", "c", "c"], 2, folds=3)

    assert [len(seen) for seen in kind.trained_on] == [4, 4, 4]
    for seen in kind.trained_on:
        assert {number // 100 for number in seen} in ({0, 1}, {0, 2}, {1, 2})
    # Source b lies nearest to a or c, whose label is another; a's nearest is b, c's is b.
    assert accuracy.tolist() == pytest.approx([4 / 6, 2 / 6, 0])


def test_parts_hold_every_video_once_and_are_alike_in_size():
    sources = [number % 13 for number in range(100)]

    parts = parts_by_source(sources, 5)

    assert sorted(place for part in parts for place in part) == list(range(100))
    assert max(map(len, parts)) - min(map(len, parts)) <= 8
    with pytest.raises(ValueError, match="1 source of videos; cross-validation needs two"):
        parts_by_source(["a", "a"], 5)
