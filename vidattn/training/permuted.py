"""Low accuracy that another order of the classes would explain: the labels mean other classes than the answers."""

from collections.abc import Sequence

import numpy as np


def explained_by_order(confusion: np.ndarray, names: Sequence[str]) -> str:
    """A sentence where nearly every class is answered with one other class of its own; empty elsewhere.

    Any order can be right about one video of each class by chance: only those beyond count.

    >>> explained_by_order(np.array([[0, 9, 0], [0, 0, 9], [8, 1, 0]]), ["a", "b", "c"])[:55]
    'in another order of the classes 96.3% would be right, n'

    Args:
        confusion: `(K, K)` numbers of videos, rows true classes, columns answers.
        names: of the classes.
    """
    videos = int(confusion.sum())
    present = int((confusion.sum(1) > 0).sum())
    if videos <= present or present < 2:
        return ""
    pairs = _best_order(confusion)
    right = int(np.trace(confusion))
    explained = sum(int(confusion[true, answer]) for true, answer in pairs.items())
    if (explained - present) / (videos - present) < 0.6 or right > explained / 2:
        return ""
    true, answer = next((true, answer) for true, answer in pairs.items() if true != answer)
    return (
        f"in another order of the classes {explained / videos:.1%} would be right, not {right / videos:.1%} (answers "
        f"for {names[true]!r} are {names[answer]!r}, and so on): the labels seem to count other classes than the "
        "weights; look at the order of data.class_names"
    )


def _best_order(confusion: np.ndarray) -> dict[int, int]:
    """True class -> answer, each answer once, the most frequent pairs first: the best order where there is a clear
    one."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    rows, columns = np.nonzero(confusion)
    for place in np.argsort(-confusion[rows, columns], kind="stable"):
        true, answer = int(rows[place]), int(columns[place])
        if true not in pairs and answer not in taken:
            pairs[true] = answer
            taken.add(answer)
    return pairs
