"""The calibration of answers that are means over several views of a video."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.nn.functional import logsigmoid

from vidattn.calibration.fitting import BOUNDS, Fitted, fit, ran_out, softened


def fit_means(views: Sequence[Tensor], targets: np.ndarray) -> Fitted:
    """The temperature, and for several labels the bias, of the least cross-entropy of the answers themselves, each the
    mean over its views of their probabilities.

    A mean is less sure than its views are, so that a temperature that fits single views leaves it too unsure: first the
    mean, then the fit (https://arxiv.org/abs/2007.08792). With one view a video this is `fit`; with more it begins
    there. It is not convex any more, but smooth in its one or two numbers.

    Args:
        views: logits `(V, K)` of the views of each of N videos; V may differ.
        targets: `(N,)` classes, or `(N, K)` 0 and 1 where classes do not exclude one another.

    Raises:
        ValueError: as `fit`.
    """
    counts = np.array([len(one) for one in views])
    owners = np.repeat(np.arange(len(views)), counts)
    start = fit(torch.cat(list(views)).double().numpy(), targets[owners], 1 / counts[owners])
    if counts.max() == 1:
        return start
    several = targets.ndim == 2
    logits = torch.nn.utils.rnn.pad_sequence([one.double() for one in views], batch_first=True)  # (N, V, K)
    absent = torch.arange(logits.shape[1])[None] >= torch.from_numpy(counts)[:, None]
    soft = torch.from_numpy(softened(targets, np.ones(len(views)), logits.shape[2]))

    def mean(logs: Tensor) -> Tensor:
        """The logarithm of the mean over views, `(N, K)`, of probabilities whose logarithms these are."""
        held = logs.masked_fill(absent[:, :, None], -torch.inf).logsumexp(1)
        return held - torch.from_numpy(counts)[:, None].log()

    def loss(point: Tensor) -> Tensor:
        scaled = point[0] * logits + point[1]
        if several:
            return -(soft * mean(logsigmoid(scaled)) + (1 - soft) * mean(logsigmoid(-scaled))).mean()
        return -(soft * mean(scaled.log_softmax(-1))).sum(1).mean()

    def with_slope(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        point = torch.from_numpy(numbers).requires_grad_()
        value = loss(point)
        (slope,) = torch.autograd.grad(value, point)
        return value.item(), slope.numpy() * (1, several)

    first = np.array([1 / start.calibration.temperature, start.calibration.bias])
    bounds = [BOUNDS[0], BOUNDS[1] if several else (0.0, 0.0)]
    found = minimize(with_slope, first, jac=True, bounds=bounds, method="L-BFGS-B", tol=1e-12)
    inverse, bias = (float(value) for value in found.x)
    with torch.enable_grad():
        bend = torch.autograd.functional.hessian(loss, torch.tensor([inverse, bias], dtype=torch.float64)).numpy()
    if not several:
        bend[1], bend[:, 1] = 0, 0
    spread = max(np.linalg.pinv(bend * len(views) * (logits.shape[2] if several else 1))[0, 0], 0.0) ** 0.5
    notes = [note for note in start.notes if note not in ran_out(1 / start.calibration.temperature)]
    kept = replace(start.calibration, temperature=1 / inverse, bias=bias)
    return Fitted(kept, spread / inverse**2, [*notes, *ran_out(1 / inverse)])
