"""The calibration that fits validation clips best: a convex problem in one number, or in two."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax

from vidattn.calibration.calibration import Calibration
from vidattn.mistakes import Mistake

HOTTEST = 100.0
"""Temperatures are sought between this and its inverse."""

BOUNDS = ((1 / HOTTEST, HOTTEST), (-HOTTEST, HOTTEST))
"""Of the inverse temperature, and of the bias."""

FEW = 30
"""Videos below which a temperature is called rough."""


class Fitted(NamedTuple):
    """A calibration, and how sure it is.

    Args:
        calibration: without a threshold.
        error: standard error of the temperature, by the curvature of the loss.
        notes: what the user has to know of it.
    """

    calibration: Calibration
    error: float
    notes: list[str]


def fit(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> Fitted:
    """The temperature (https://arxiv.org/abs/1706.04599), and for several labels the bias, of the least cross-entropy.

    In the inverse temperature and the bias it is convex: L-BFGS finds the one minimum. Targets lie a little inside 0
    and 1 as Platt's (1999, section 2.2) do: N videos cannot show that fewer than one in N + 2 are wrong. So the
    temperature stays away from 0 where all of them are right.

    Args:
        logits: `(N, K)`.
        targets: `(N,)` classes, or `(N, K)` 0 and 1 where classes do not exclude one another.
        weights: `(N,)`, what each row counts for: 1 / V of each of V views of a video. 1 by default.

    Raises:
        ValueError: there are fewer than two videos, one class only, or logits that are not finite.
    """
    logits = np.asarray(logits, np.float64)
    weights = np.ones(len(logits)) if weights is None else np.asarray(weights, np.float64)
    several = targets.ndim == 2
    videos = round(float(weights.sum()))
    if videos < 2:
        raise Mistake(f"{videos} validation videos tell no temperature; wanted {FEW} or more, two at the least")
    if logits.shape[1] < 2 and not several:
        raise Mistake("a network of one class is always sure of it: there is nothing to calibrate")
    if not np.isfinite(logits).all():
        raise Mistake("a logit is NaN or infinite; try precision=fp32, or look at the weights")
    soft = softened(targets, weights, logits.shape[1])
    number, curvature = (_sigmoids if several else _softmax), np.zeros((2, 2))

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope, curvature[:] = number(point, logits, soft, weights)
        return value, slope

    bounds = [BOUNDS[0], BOUNDS[1] if several else (0.0, 0.0)]
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, bounds=bounds, method="L-BFGS-B", tol=1e-12)
    loss(found.x)
    inverse, bias = (float(value) for value in found.x)
    spread = np.linalg.pinv(curvature * videos)[0, 0] ** 0.5 if curvature.any() else 0.0
    notes = [] if several else _notes(weights[logits.argmax(1) == targets].sum() / weights.sum(), videos)
    if videos < FEW:
        notes.append(f"{videos} validation videos are few for a temperature; wanted {FEW} or more")
    return Fitted(Calibration(1 / inverse, bias), spread / inverse**2, [*notes, *ran_out(1 / inverse)])


def ran_out(temperature: float) -> list[str]:
    """A note where the temperature is at one end of where it is sought."""
    if 1.001 / HOTTEST < temperature < HOTTEST / 1.001:
        return []
    return [f"the temperature ran to {temperature:.3g}, as far as it is sought: the logits tell little"]


def softened(targets: np.ndarray, weights: np.ndarray, num_classes: int) -> np.ndarray:
    """Targets `(N, K)` a little inside 0 and 1, of classes `(N,)` or of 0 and 1 `(N, K)`; see `fit`."""
    if targets.ndim == 2:
        return _platt(targets, weights)
    return _inside(targets, num_classes, round(float(weights.sum())))


def _notes(right: float, videos: int) -> list[str]:
    if right == 1:
        doubt = f"one in {videos + 2} wrong is taken for granted"
        return [f"all {videos} videos are answered right, so how sure the network may be is not known: {doubt}"]
    return [f"none of the {videos} videos is answered right; are these the network's classes?"] if right == 0 else []


def _inside(labels: np.ndarray, num_classes: int, videos: int) -> np.ndarray:
    """`(N, K)`: all but 1 / (N + 2) on the label, the rest on the others."""
    share = 1 / (videos + 2)
    soft = np.full((len(labels), num_classes), share / (num_classes - 1))
    soft[np.arange(len(labels)), labels] = 1 - share
    return soft


def _platt(targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`(N, K)`: (N+ + 1) / (N+ + 2) where a class is, 1 / (N- + 2) where it is not; N counts all classes."""
    there = float((weights[:, None] * targets).sum())
    absent = float((weights[:, None] * (1 - targets)).sum())
    return np.where(targets > 0.5, (there + 1) / (there + 2), 1 / (absent + 2))


def _softmax(
    point: np.ndarray, logits: np.ndarray, soft: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Cross-entropy at an inverse temperature, its slope and its curvature."""
    scaled, share = point[0] * logits, weights / weights.sum()
    likely = softmax(scaled, axis=1)
    value = share @ (logsumexp(scaled, axis=1) - (soft * scaled).sum(1))
    mean = (likely * logits).sum(1)
    bend = share @ ((likely * logits**2).sum(1) - mean**2)
    return float(value), np.array([share @ (mean - (soft * logits).sum(1)), 0.0]), np.array([[bend, 0], [0, 0]])


def _sigmoids(
    point: np.ndarray, logits: np.ndarray, soft: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Binary cross-entropy at an inverse temperature and a bias, likewise: the mean over classes."""
    scaled = point[0] * logits + point[1]
    share = weights[:, None] / (weights.sum() * logits.shape[1])
    likely = expit(scaled)
    over, bend = share * (likely - soft), share * likely * (1 - likely) * logits.shape[1]
    mixed = (bend * logits).sum()
    value = (share * (np.logaddexp(0, scaled) - soft * scaled)).sum()
    slope = np.array([(over * logits).sum(), over.sum()])
    return float(value), slope, np.array([[(bend * logits**2).sum(), mixed], [mixed, bend.sum()]])
