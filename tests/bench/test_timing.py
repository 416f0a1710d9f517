import pytest

from vidattn.bench.timing import interleaved, ratio


def test_each_round_runs_all_in_turn_after_a_warm_up():
    ran = []
    seconds = interleaved({name: lambda name=name: ran.append(name) for name in "ab"}, rounds=3)

    assert "".join(ran) == "ab" * 4
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}
    assert all(one > 0 for times in seconds.values() for one in times)


def test_any_clock_will_do():
    ticks = iter(range(100))
    seconds = interleaved({"a": lambda: None, "b": lambda: next(ticks)}, rounds=2, clock=lambda: next(ticks))

    assert seconds == {"a": [1, 1], "b": [2, 2]}


def test_neighbours_in_time_are_compared():
    assert ratio([2.0, 20.0, 3.0], [1.0, 10.0, 1.0]) == 2
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0], [1.0, 2.0])
