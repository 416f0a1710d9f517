import math

import pytest

from vidattn.commands.study_report import interval, summary, t_quantile


@pytest.mark.parametrize(
    ("degrees", "confidence", "published"),  # the usual table of Student's distribution
    [(1, 0.95, 12.706), (2, 0.95, 4.303), (3, 0.95, 3.182), (9, 0.95, 2.262), (30, 0.95, 2.042), (4, 0.99, 4.604),
     (5, 0.9, 2.015), (100, 0.95, 1.984)],
)  # fmt: skip
def test_quantiles_are_the_published_ones(degrees, confidence, published):
    assert t_quantile(degrees, confidence) == pytest.approx(published, abs=5e-4)


def test_the_interval_of_three_seeds():
    # mean 0.8, standard deviation 0.1: 4.303 x 0.1 / sqrt(3)
    assert interval([0.7, 0.8, 0.9]) == pytest.approx(0.2484, abs=1e-4)
    assert math.isnan(interval([0.7]))


def test_sets_and_schemes_are_kept_apart_in_their_order():
    rows = [
        {"set": name, "attention": scheme, "seed": seed, "classes": 4, "video_top1": score + seed / 10,
         "macs_per_clip": 5, "parameters": 6, "videos_evaluated": 7}
        for seed in (0, 1)
        for name, base in (("motion", 0.2), ("appearance", 0.6))
        for scheme, score in (("space", base), ("joint", base + 0.1))
    ]  # fmt: skip
    found = [(row["set"], row["attention"], round(row["top1"], 6), row["chance"]) for row in summary(rows)]
    assert found == [
        ("motion", "space", 0.25, 0.25),
        ("motion", "joint", 0.35, 0.25),
        ("appearance", "space", 0.65, 0.25),
        ("appearance", "joint", 0.75, 0.25),
    ]
