"""Random truth and answers, wrong in every way that detectors are, and slow loops that judge them."""

import numpy as np

from vidattn.detection.found import FrameBoxes, FrameTruth
from vidattn.detection.tubes import Tube


def random_boxes(rng, count):
    low = rng.uniform(0, 0.6, (count, 2))
    return np.concatenate([low, low + rng.uniform(0.1, 0.4, (count, 2))], 1)


def answers(seed, num_classes=4, videos=3, frames=8, missing=0.1):
    """Truth of all frames, and what was found in most of them: true boxes moved about, others, scores half right."""
    rng = np.random.default_rng(seed)
    found, truth = [], []
    for video in range(videos):
        people = rng.integers(0, 4)
        start, step = random_boxes(rng, people), rng.normal(0, 0.01, (people, 1, 2))
        of_person = rng.random((people, num_classes)) < 0.4
        for frame in range(frames):
            boxes = start + np.tile(step[:, 0] * frame, 2)
            there = rng.random(people) < 0.9
            actions = (of_person & (rng.random(of_person.shape) < 0.95))[there]
            truth.append(FrameTruth(f"v{video}", frame, boxes[there], actions, np.flatnonzero(there)))
            if rng.random() < missing:
                continue
            near = boxes[rng.random(people) < 0.8]
            near = np.concatenate([near, near[: rng.integers(0, 3)]])
            near = near + rng.normal(0, 0.02, near.shape)
            all_boxes = np.concatenate([near, random_boxes(rng, rng.integers(0, 3))])
            scores = rng.random((len(all_boxes), num_classes))
            found.append(FrameBoxes(f"v{video}", frame, all_boxes, scores))
    return found, truth


def slow_steps(hits, truths):
    """For each truth that is found: the best precision at this place of the list or further down."""
    precisions = [sum(hits[: place + 1]) / (place + 1) for place in range(len(hits))]
    return sum(max(precisions[place:]) for place, hit in enumerate(hits) if hit) / truths


def slow_trapezoids(hits, truths):
    area, before = 0.0, (0.0, 1.0)
    for place in range(len(hits)):
        right = sum(hits[: place + 1])
        now = (right / truths, right / (place + 1))
        area += (now[0] - before[0]) * (now[1] + before[1]) / 2
        before = now
    return area


def slow_iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


LEFT, RIGHT = [0, 0, 0.4, 1], [0.1, 0, 0.5, 1]  # they overlap by 0.6


def two_people(scores=((0.9,), (0.8,), (0.7,))):
    truth = [FrameTruth("a", 0, np.array([LEFT, RIGHT]), np.ones((2, 1), bool))]
    near_left, near_left_too = [0, 0, 0.4, 0.9], [0, 0, 0.42, 1]  # both nearer to the left one
    found = [FrameBoxes("a", 0, np.array([near_left, near_left_too, [0.8, 0, 1, 1]]), np.array(scores))]
    return found, truth


def tube(frames, shift=0.0, score=1.0, action=0):
    frames = np.asarray(frames)
    boxes = np.tile([shift, 0.0, 0.4 + shift, 1.0], (len(frames), 1))
    return Tube("a", action, score, frames, boxes)


def slow_tube_iou(one, other):
    first, second = dict(zip(one.frames, one.boxes, strict=True)), dict(zip(other.frames, other.boxes, strict=True))
    both = [frame for frame in first if frame in second]
    if not both:
        return 0
    spatial = sum(slow_iou(first[frame], second[frame]) for frame in both) / len(both)
    return spatial * len(both) / len({*first, *second})
