import math

import pytest

from vidattn.training.schedule import Constant, Steps, WarmupCosine


def test_constant_never_changes():
    assert [Constant().factor(epoch, 10) for epoch in (0, 3.7, 10)] == [1, 1, 1]


def test_cosine_without_warmup_starts_at_the_full_rate():
    assert WarmupCosine().factor(0, 10) == 1


def test_cosine_does_not_fall_towards_an_end_that_nobody_knows():
    with pytest.raises(ValueError, match=r"neither trainer\.max_epochs nor trainer\.max_steps says when that is; set"):
        WarmupCosine().factor(0, math.inf)
    assert Steps().factor(11, math.inf) == pytest.approx(0.1)


def test_cosine_ends_at_the_final_factor_and_stays_there():
    schedule = WarmupCosine(warmup_epochs=1, final_factor=0.01)

    assert schedule.factor(10, 10) == pytest.approx(0.01)
    assert schedule.factor(12, 10) == pytest.approx(0.01)  # resumed for longer than was planned


def test_cosine_never_rises_after_the_warmup_and_never_falls_within():
    factors = [WarmupCosine(warmup_epochs=2.5).factor(step / 10, 10) for step in range(101)]

    assert factors[:26] == sorted(factors[:26])
    assert factors[25:] == sorted(factors[25:], reverse=True)


def test_a_run_of_warmup_only_never_passes_the_full_rate():
    factors = [WarmupCosine(warmup_epochs=5).factor(epoch, 5) for epoch in (0, 2.5, 5)]

    assert factors == [0, 0.5, 1]


def test_steps_with_warmup_rise_first_and_fall_later():
    schedule = Steps(milestones=(4, 6), gamma=0.5, warmup_epochs=2)

    assert [schedule.factor(epoch, 8) for epoch in (0, 1, 2, 3.99, 4, 5.99, 6, 8)] == [
        *(0, 0.5, 1, 1, 0.5, 0.5, 0.25, 0.25)
    ]


@pytest.mark.parametrize(
    ("schedule", "argument"),
    [(WarmupCosine, "warmup_epochs"), (WarmupCosine, "final_factor"), (Steps, "gamma"), (Steps, "warmup_epochs")],
)
def test_a_negative_number_is_refused(schedule, argument):
    schedule(**{argument: 0})
    with pytest.raises(ValueError, match=rf"{argument}=-0\.5 must be 0 or more"):
        schedule(**{argument: -0.5})
