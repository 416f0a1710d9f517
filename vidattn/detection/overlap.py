"""How much boxes overlap."""

import numpy as np


def iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes `(n, 4)` and `(m, 4)`: `(n, m)`; 0 for empty ones.

    >>> iou(np.array([[0, 0, 2, 1]]), np.array([[1, 0, 3, 1], [5, 5, 5, 5]])).round(3).tolist()
    [[0.333, 0.0]]
    """
    one, other = np.asarray(one, np.float64).reshape(-1, 4), np.asarray(other, np.float64).reshape(-1, 4)
    return pairs(one[:, None], other[None])


def pairs(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union of each box `(..., 4)` with its partner `(..., 4)`."""
    low = np.maximum(one[..., :2], other[..., :2])
    high = np.minimum(one[..., 2:], other[..., 2:])
    both = np.prod(np.clip(high - low, 0, None), -1)
    first, second = (np.prod(np.clip(boxes[..., 2:] - boxes[..., :2], 0, None), -1) for boxes in (one, other))
    union = first + second - both
    return both / np.where(union > 0, union, 1)
