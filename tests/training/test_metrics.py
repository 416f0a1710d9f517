import math
import random
from collections import Counter, defaultdict

import pytest
import torch
from torchmetrics.functional.classification import multilabel_average_precision

from vidattn.training.metrics import ViewAccuracy, ViewPrecision, average_precision


def oracle(rows, num_classes):
    """Scores of rows (video, label, logits), one view each, by plain Python."""
    views = defaultdict(list)
    for video, label, logits in rows:
        if label >= 0:
            exponentials = [math.exp(value) for value in logits]
            views[video].append((label, [value / sum(exponentials) for value in exponentials]))

    def hit(probabilities, label, top):
        return label in sorted(range(num_classes), key=lambda k: -probabilities[k])[:top]

    scores, confusion = defaultdict(list), Counter()
    for clips in views.values():
        label = clips[0][0]
        mean = [sum(p[k] for _, p in clips) / len(clips) for k in range(num_classes)]
        scores["loss"].append(sum(-math.log(p[label]) for _, p in clips) / len(clips))
        for top in (1, 5):
            scores[f"clip_top{top}"].append(sum(hit(p, label, top) for _, p in clips) / len(clips))
            scores[f"video_top{top}"].append(hit(mean, label, top))
        confusion[label, max(range(num_classes), key=lambda k: mean[k])] += 1
    return {name: sum(values) / len(values) for name, values in scores.items()}, confusion, len(views)


def drawn_rows(num_classes, num_videos=30, num_views=3, seed=0):
    generator = random.Random(seed)
    rows = []
    for video in range(num_videos):
        label = generator.randrange(num_classes)
        for _ in range(num_views):
            logits = [generator.gauss(0, 2) for _ in range(num_classes)]
            logits[label] += 1.5
            rows.append((100 - video, label, logits))  # numbers in falling order: the order must not matter
    return rows


def update(metric, rows):
    videos, labels, logits = zip(*rows, strict=True)
    metric.update(torch.tensor(logits), torch.tensor(labels), torch.tensor(videos))


def assert_agrees(metric, rows, num_classes):
    expected, confusion, num_videos = oracle(rows, num_classes)
    scores = metric.compute()
    assert {name: scores[name].item() for name in expected} == pytest.approx(expected, abs=1e-6)
    assert scores["num_videos"] == num_videos
    for true in range(num_classes):
        assert scores["confusion"][true].tolist() == [confusion[true, answer] for answer in range(num_classes)]


@pytest.mark.parametrize(("num_classes", "num_views"), [(9, 1), (9, 3), (3, 3), (2, 4)])
def test_scores_agree_with_plain_python(num_classes, num_views):
    rows = drawn_rows(num_classes, num_views=num_views)
    metric = ViewAccuracy(num_classes)
    for start in range(0, len(rows), 5 * num_views):
        update(metric, rows[start : start + 5 * num_views])

    assert_agrees(metric, rows, num_classes)


def test_a_video_that_comes_again_counts_once():
    rows = drawn_rows(6, num_videos=8)
    metric = ViewAccuracy(6)
    update(metric, rows)
    update(metric, rows[:6])  # the first two videos, to fill a batch

    assert_agrees(metric, rows, 6)


def test_videos_may_have_different_numbers_of_views():
    rows = drawn_rows(6, num_videos=8)
    del rows[1]
    metric = ViewAccuracy(6)
    update(metric, rows)

    assert_agrees(metric, rows, 6)


def test_clips_without_a_label_are_left_out():
    rows = drawn_rows(6, num_videos=8)
    unlabelled = [(200 + video, -1, logits) for video, _, logits in rows]
    metric = ViewAccuracy(6)
    update(metric, rows[:12] + unlabelled + rows[12:])
    update(metric, unlabelled)

    assert_agrees(metric, rows, 6)


def test_without_videos_the_scores_are_unknown():
    metric = ViewAccuracy(6)
    metric.update(torch.zeros(0, 6), torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64))

    scores = metric.compute()

    assert all(scores[name].isnan() for name in ("loss", "clip_top1", "clip_top5", "video_top1", "video_top5"))
    assert scores["num_videos"] == 0
    assert scores["confusion"].tolist() == [[0] * 6] * 6


def test_reset_forgets_all():
    metric = ViewAccuracy(6)
    update(metric, drawn_rows(6, seed=1))
    metric.compute()
    metric.reset()
    rows = drawn_rows(6, seed=2)
    update(metric, rows)

    assert_agrees(metric, rows, 6)


def test_half_precision_logits_are_averaged_in_single_precision():
    logits = torch.tensor([[0.0, 1.0], [0.0, 1.0], [9.0, 0.0]], dtype=torch.bfloat16)
    metric = ViewAccuracy(2)
    metric.update(logits, torch.zeros(3, dtype=torch.int64), torch.zeros(3, dtype=torch.int64))

    assert metric.probabilities[-1].dtype == torch.float32
    assert metric.compute()["video_top1"] == 1  # two of three views are wrong, but the sure one outweighs them


def test_map_is_that_of_torchmetrics_over_the_classes_with_videos():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(40, 5, generator=generator), torch.rand(40, 5, generator=generator) > 0.6
    labels[:, 3] = False  # no video of this class
    metric = ViewPrecision(5)
    for part in range(0, 40, 8):
        metric.update(logits[part : part + 8], labels[part : part + 8], torch.arange(part, part + 8))

    present = [0, 1, 2, 4]
    expected = multilabel_average_precision(logits[:, present].sigmoid(), labels[:, present].long(), 4)
    assert metric.compute()["mAP"].item() == pytest.approx(expected.item(), abs=1e-6)
    assert metric.compute()["num_videos"] == 40


@pytest.mark.parametrize("seed", range(4))
def test_videos_with_one_score_count_alike_in_any_order(seed):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(0, 4, (30, 3), generator=generator) / 4
    hits = (torch.rand(30, 3, generator=generator) > 0.7).long()
    order = torch.randperm(30, generator=generator)

    found = average_precision(scores, hits)

    torch.testing.assert_close(found, average_precision(scores[order], hits[order]))
    torch.testing.assert_close(found.float(), multilabel_average_precision(scores, hits, 3, average="none"))


def test_classes_without_a_video_are_counted():
    metric = ViewPrecision(6)
    metric.update(torch.randn(5, 6), torch.eye(6)[:5], torch.arange(5))

    assert metric.compute()["num_classes_scored"] == 5
    empty = ViewPrecision(3)
    empty.update(torch.randn(2, 3), torch.zeros(2, 3), torch.arange(2))
    assert empty.compute()["num_classes_scored"] == 0


def test_views_of_a_video_are_averaged_and_count_once():
    views = torch.tensor([[3.0, -1.0], [-3.0, 1.0], [0.5, 0.5]])
    labels = torch.tensor([[1.0, 0], [1, 0], [0, 1]])
    metric = ViewPrecision(2)
    metric.update(views, labels, torch.tensor([7, 7, 2]))
    metric.update(views[:2], labels[:2], torch.tensor([7, 7]))  # as a sampler may repeat it

    scores = metric.compute()
    assert scores["num_videos"] == 2
    assert scores["mAP"].item() == pytest.approx((0.5 + 1.0) / 2)  # class 0: 0.5 stands behind 0.62
    assert torch.isnan(ViewPrecision(2).compute()["mAP"])
