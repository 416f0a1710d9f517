"""Whether one training is better than another, where both answered about the same videos."""

from typing import NamedTuple

import numpy as np

from vidattn.mistakes import Mistake


class Difference(NamedTuple):
    """A difference of two accuracies, and its interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.1%} [{self.low:+.1%}, {self.high:+.1%}]"


def paired_difference(
    ours: np.ndarray, theirs: np.ndarray, confidence: float = 0.95, draws: int = 10_000, seed: int = 0
) -> Difference:
    """By how much more of the videos `ours` answers rightly, with an interval over videos and seeds.

    Both are averaged over their seeds, video by video, and the videos' differences over the videos. The interval is a
    percentile bootstrap that draws seeds of each and videos of both with replacement (Owen, The pigeonhole bootstrap,
    https://arxiv.org/abs/0712.1111): it holds what other seeds and other videos of the kind would change. With one seed
    it is over videos alone.

    Args:
        ours: (S, N), whether a seed's network was right about a video.
        theirs: (S', N), likewise, the videos in the same order; the seeds need not be the same, nor as many.
        confidence: share of the draws that the interval holds.
        draws: of the bootstrap.
        seed: of the draws.

    Raises:
        ValueError: there is no seed or no video, or the numbers of videos differ.
    """
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    for one in (ours, theirs):
        if one.ndim != 2 or 0 in one.shape:
            raise Mistake(f"answers of shape {one.shape}; wanted (seeds, videos), at least one of each")
    if ours.shape[1] != theirs.shape[1]:
        raise Mistake(f"{ours.shape[1]} videos cannot be paired with {theirs.shape[1]}; test both on the same list")
    random = np.random.default_rng(seed)
    videos = ours.shape[1]
    found = np.empty(draws)
    for draw in range(draws):
        weights = random.multinomial(videos, np.full(videos, 1 / videos)) / videos
        means = [
            (random.multinomial(len(one), np.full(len(one), 1 / len(one))) / len(one)) @ one for one in (ours, theirs)
        ]
        found[draw] = (means[0] - means[1]) @ weights
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Difference(float((ours.mean(0) - theirs.mean(0)).mean()), float(low), float(high))
