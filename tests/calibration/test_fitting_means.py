import numpy as np
import torch
from scipy.special import expit, softmax

from vidattn.calibration.fitting import fit
from vidattn.calibration.fitting_means import fit_means


def drawn(classes=4, videos=400, most=6, seed=0):
    """Views that each differ much from their video, of which there are 1 to `most`, and the videos' classes."""
    random = np.random.default_rng(seed)
    truth = random.normal(0, 1.5, (videos, classes))
    labels = np.array([random.choice(classes, p=row) for row in softmax(truth, axis=1)])
    counts = random.integers(1, most + 1, videos)
    noisy = (2 * (row + random.normal(0, 2, (most, classes))) for row in truth)
    views = [torch.from_numpy(one[:count]) for one, count in zip(noisy, counts, strict=True)]
    return views, labels


def loss_of_means(views, labels, temperature):
    """By plain loops over videos, with the targets that `fit` says."""
    share, total = 1 / (len(labels) + 2), 0.0
    for one, label in zip(views, labels, strict=True):
        mean = softmax(one.numpy() / temperature, axis=1).mean(0)
        others = np.delete(np.log(mean), label).mean()
        total -= (1 - share) * np.log(mean[label]) + share * others
    return total / len(labels)


def test_no_other_temperature_makes_the_means_better():
    views, labels = drawn()
    found = fit_means(views, labels)
    best = found.calibration.temperature
    least = loss_of_means(views, labels, best)
    assert all(loss_of_means(views, labels, factor * best) > least for factor in (0.4, 0.7, 0.97, 1.03, 1.4, 3))
    assert 0 < found.error < 0.5 * best
    single = fit(torch.cat(views).numpy(), np.repeat(labels, [len(one) for one in views]))
    assert best < 0.8 * single.calibration.temperature  # a mean is less sure than its views


def test_with_one_view_a_video_it_is_the_fit_of_views():
    views, labels = drawn(most=1)
    ours, theirs = fit_means(views, labels), fit(torch.cat(views).numpy(), labels)
    assert ours == theirs


def test_several_labels_get_the_two_numbers_of_the_means():
    random = np.random.default_rng(2)
    truth = random.normal(-1, 1.5, (300, 3))
    labels = (random.random((300, 3)) < expit(truth)).astype(float)
    views = [torch.from_numpy(2 * (row + random.normal(0, 2, (4, 3))) - 1) for row in truth]
    there, absent = labels.sum(), (1 - labels).sum()
    soft = np.where(labels > 0, (there + 1) / (there + 2), 1 / (absent + 2))

    def loss(inverse, bias):
        mean = np.stack([expit(inverse * one.numpy() + bias).mean(0) for one in views])
        return -(soft * np.log(mean) + (1 - soft) * np.log(1 - mean)).mean()

    found = fit_means(views, labels).calibration
    point = 1 / found.temperature, found.bias
    nearby = [loss(point[0] + a, point[1] + b) for a in (-0.02, 0, 0.02) for b in (-0.02, 0, 0.02) if a or b]
    assert loss(*point) < min(nearby)
