"""Matching and loss are DETR's in transformers where both meet (one frame, one label), and plain loops elsewhere."""

import math
from itertools import permutations

import pytest
import torch
from transformers.loss.loss_for_object_detection import HungarianMatcher, ImageLoss

from vidattn.data.boxes.people import People
from vidattn.models.actions import OneAction, SeveralActions
from vidattn.models.tubes import Detections, to_corners
from vidattn.training.detection_loss import detection_terms, weighed
from vidattn.training.matching import BoxWeights, Targets, match

C, Q, WEIGHTS = 4, 6, BoxWeights(1.5, 5.0, 2.0)
CPU = torch.device("cpu")


def found(layers=2, clips=3, boxes=1, seed=0):
    torch.manual_seed(seed)
    places = torch.rand(layers, clips, Q, boxes, 4) * 0.5 + 0.2
    shown = torch.randn(layers, clips, Q, boxes) if boxes > 1 else None
    parts = [one.requires_grad_() for one in (places, torch.randn(layers, clips, Q, C + 1))]
    return Detections(*parts, shown)


def people(counts=(2, 0, 4), frames=5, several=False, gone=False):
    made = []
    for count in counts:
        corner = torch.rand(count, frames, 2) * 0.5
        boxes = torch.cat((corner, corner + 0.1 + torch.rand(count, frames, 2) * 0.4), dim=-1)
        actions = torch.eye(C)[torch.randint(C, (count,))]
        actions = (actions + (torch.rand(count, C) > 0.6)).clamp(max=1) if several else actions
        present = torch.rand(count, frames) > 0.4 if gone else torch.ones(count, frames, dtype=torch.bool)
        made.append(People(boxes, present, actions))
    return made


@pytest.mark.parametrize("counts", [(2, 0, 4), (1, 1, 6), (0, 0, 0), (9, 2, 1)], ids=str)
def test_of_one_frame_and_one_label_it_is_transformers(counts):
    ours = found(seed=sum(counts))
    targets = Targets.of(people(counts), 5, 1, C, CPU)
    theirs = [
        {"class_labels": does[there].argmax(-1), "boxes": boxes[there][:, 0]}
        for boxes, does, there in zip(targets.boxes, targets.actions, targets.there, strict=True)
    ]
    matcher = HungarianMatcher(WEIGHTS.actions, WEIGHTS.l1, WEIGHTS.giou)
    criterion = ImageLoss(matcher, C, 0.1, ["labels", "boxes"])
    of_query = match(ours, targets, OneAction(), WEIGHTS)
    losses = weighed(detection_terms(ours, targets, of_query, OneAction()), WEIGHTS)
    wanted = dict.fromkeys(losses, 0.0)
    for layer in range(2):
        outputs = {"logits": ours.logits[layer], "pred_boxes": ours.boxes[layer][:, :, 0]}
        for clip, (queries, persons) in enumerate(matcher(outputs, theirs)):
            expected = torch.full((Q,), -1)
            expected[queries] = persons
            assert torch.equal(of_query[layer, clip], expected)
        for name, part in (("actions", "loss_ce"), ("l1", "loss_bbox"), ("giou", "loss_giou")):
            wanted[name] += getattr(WEIGHTS, name) * criterion(outputs, theirs)[part]
    for name, value in wanted.items():
        torch.testing.assert_close(losses[name], value, atol=1e-5, rtol=1e-5, msg=name)
    if sum(counts):
        grads = [torch.autograd.grad(sum(one.values()), [ours.boxes, ours.logits]) for one in (losses, wanted)]
        for one, other in zip(*grads, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def giou(a, b):
    (ax, ay, aX, aY), (bx, by, bX, bY) = a, b
    inter = max(min(aX, bX) - max(ax, bx), 0) * max(min(aY, bY) - max(ay, by), 0)
    union = (aX - ax) * (aY - ay) + (bX - bx) * (bY - by) - inter
    hull = (max(aX, bX) - min(ax, bx)) * (max(aY, bY) - min(ay, by))
    return inter / union - (hull - union) / hull


def pair_errors(boxes, wanted, shown):
    """L1 and 1 - GIoU of one query and one person, the mean over the frames on which the person is."""
    frames = [k for k in range(len(shown)) if shown[k]]
    l1 = [sum(abs(a - b) for a, b in zip(boxes[k].tolist(), wanted[k].tolist(), strict=True)) for k in frames]
    other = [1 - giou(to_corners(boxes[k]).tolist(), to_corners(wanted[k]).tolist()) for k in frames]
    return sum(l1) / len(frames), sum(other) / len(frames)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_of_several_frames_and_labels_it_is_plain_loops():
    ours = found(layers=1, clips=2, boxes=3, seed=5)
    targets = Targets.of(people((2, 3), frames=7, several=True, gone=True), 7, 3, C, CPU)
    kind = SeveralActions(no_object=0.2, weight=3.0)
    of_query = match(ours, targets, kind, WEIGHTS)
    sums = dict.fromkeys(("actions", "l1", "giou", "shown"), 0.0)
    nobody, weights, doing = 0.0, 0.0, 0.0
    count = int(targets.there.sum())
    assert count > 3
    for clip in range(2):
        logits, boxes = ours.logits[0, clip].tolist(), ours.boxes[0, clip]
        persons = range(int(targets.there[clip].sum()))

        def cost(query, person, clip=clip, logits=logits, boxes=boxes):
            l1, other = pair_errors(boxes[query], targets.boxes[clip, person], targets.shown[clip, person])
            does = [c for c in range(C) if targets.actions[clip, person, c]]
            score = sum(sigmoid(logits[query][c]) * sigmoid(-logits[query][C]) for c in does) / len(does)
            return -WEIGHTS.actions * score + WEIGHTS.l1 * l1 + WEIGHTS.giou * other

        cheapest = min(
            permutations(range(Q), len(persons)),
            key=lambda order: sum(cost(query, person) for query, person in zip(order, persons, strict=True)),
        )
        assert [of_query[0, clip].tolist().index(person) for person in persons] == list(cheapest)
        for query in range(Q):
            matched = query in cheapest
            weights += 1 if matched else 0.2
            right = sigmoid(-logits[query][C]) if matched else sigmoid(logits[query][C])
            nobody -= (1 if matched else 0.2) * math.log(right)
        for query, person in zip(cheapest, persons, strict=True):
            l1, other = pair_errors(boxes[query], targets.boxes[clip, person], targets.shown[clip, person])
            sums["l1"] += WEIGHTS.l1 * l1 / count
            sums["giou"] += WEIGHTS.giou * other / count
            for c in range(C):
                right = logits[query][c] * (1 if targets.actions[clip, person, c] else -1)
                doing -= math.log(sigmoid(right)) / C
            for k in range(3):
                right = ours.shown[0, clip, query, k].item() * (1 if targets.shown[clip, person, k] else -1)
                sums["shown"] -= math.log(sigmoid(right)) / 3 / count
    sums["actions"] = WEIGHTS.actions * (nobody / weights + 3.0 * doing / count)
    losses = weighed(detection_terms(ours, targets, of_query, kind), WEIGHTS)
    assert {name: value.item() for name, value in losses.items()} == pytest.approx(sums, abs=1e-5)


@pytest.mark.parametrize("kind", [OneAction(), SeveralActions()], ids=["one", "several"])
@pytest.mark.parametrize("boxes", [1, 2])
def test_a_batch_without_people_teaches_that_nobody_is_there_and_every_gradient_is_finite(kind, boxes):
    ours = found(boxes=boxes)
    if ours.shown is not None:
        ours.shown.requires_grad_()
    targets = Targets.of(people((0, 0, 0)), 5, boxes, C, CPU)
    of_query = match(ours, targets, kind, WEIGHTS)
    losses = weighed(detection_terms(ours, targets, of_query, kind), WEIGHTS)
    sum(losses.values()).backward()
    assert losses["l1"] == losses["giou"] == 0
    assert (ours.logits.grad[..., -1] < 0).all()
    assert all(one.grad.isfinite().all() for one in ours if one is not None)
