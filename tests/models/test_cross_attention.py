"""Both ways to look at a clip, against loops over queries, heads, boxes and points."""

import math

import pytest
import torch

from vidattn.models.cross_attention import DenseCrossAttention, between
from vidattn.models.deformable_cross_attention import DeformableCrossAttention
from vidattn.models.tubes import waves

DIM, HEADS, SIDES = 24, 2, (3, 4, 5)


def case(boxes):
    torch.manual_seed(3)
    random = {"dtype": torch.float64}
    queries = torch.randn(2, 3, DIM, **random)
    places = torch.rand(2, 3, boxes, 4, **random) * 0.6 + 0.2
    times = (torch.arange(boxes, **random) + 0.5) / boxes
    return queries, places, times, torch.randn(2, *SIDES, DIM, **random)


def shaken(layer):
    """With weights that all matter."""
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return layer.double()


def rows(layer, x):
    return (layer.weight @ x + layer.bias).detach()


@pytest.mark.parametrize("boxes", [1, 2])
def test_dense_is_what_loops_say(boxes):
    queries, places, times, tokens = case(boxes)
    layer = shaken(DenseCrossAttention(DIM, HEADS, boxes))
    mixed = torch.zeros(2, 3, DIM, dtype=torch.float64)
    width = DIM // HEADS
    for b in range(2):
        for n in range(3):
            bells = rows(layer.bells, queries[b, n]).float().double().view(HEADS, 4)
            for head in range(HEADS):
                part = slice(head * width, (head + 1) * width)
                q = rows(layer.q, queries[b, n])[part]
                scores, values = [], []
                for t in range(SIDES[0]):
                    when = (t + 0.5) / SIDES[0]
                    if boxes == 1 or when <= times[0]:
                        box = places[b, n, 0]
                    elif when >= times[-1]:
                        box = places[b, n, -1]
                    else:
                        share = (when - times[0]) / (times[1] - times[0])
                        box = places[b, n, 0] * (1 - share) + places[b, n, 1] * share
                    for i in range(SIDES[1]):
                        for j in range(SIDES[2]):
                            score = 0.0
                            for axis, (place, side) in enumerate(
                                [((j + 0.5) / SIDES[2], 2), ((i + 0.5) / SIDES[1], 1)]
                            ):
                                half = box[2 + axis] / 2
                                sigma = max(half, 0.5 / SIDES[side]) * math.exp(min(max(bells[head, 2 + axis], -4), 4))
                                score -= (place - box[axis] - bells[head, axis] * half) ** 2 / (2 * sigma**2)
                            at = torch.tensor([when, (j + 0.5) / SIDES[2], (i + 0.5) / SIDES[1]])
                            k = rows(layer.k, tokens[b, t, i, j] + waves(at, DIM // 3).double())[part]
                            scores.append(score + q @ k / width**0.5)
                            values.append(rows(layer.v, tokens[b, t, i, j])[part])
                mixed[b, n, part] = torch.stack(scores).softmax(0) @ torch.stack(values)
    ours = layer(queries, places, times, tokens)
    torch.testing.assert_close(ours, mixed @ layer.proj.weight.T + layer.proj.bias, atol=1e-5, rtol=0)
    weights = layer.weights(queries, places, times, tokens)
    assert weights.shape == (2, 3, *SIDES)
    torch.testing.assert_close(weights.sum((2, 3, 4)), torch.ones(2, 3, dtype=torch.float64))


def sampled(volume, point):
    """Trilinear, zeros outside: a loop over the eight tokens around."""
    found = torch.zeros(volume.shape[-1], dtype=volume.dtype)
    at = [fraction * side - 0.5 for fraction, side in zip(reversed(point), SIDES, strict=True)]  # t, y, x
    for corner in range(8):
        place = [math.floor(one) + (corner >> axis & 1) for axis, one in enumerate(at)]
        share = math.prod(1 - abs(one - where) for one, where in zip(at, place, strict=True))
        if all(0 <= where < side for where, side in zip(place, SIDES, strict=True)):
            found += share * volume[*place]
    return found


@pytest.mark.parametrize("boxes", [1, 2])
def test_deformable_is_what_loops_say(boxes):
    queries, places, times, tokens = case(boxes)
    count = 3
    layer = shaken(DeformableCrossAttention(DIM, HEADS, boxes, count))
    mixed = torch.zeros(2, 3, DIM, dtype=torch.float64)
    width = DIM // HEADS
    for b in range(2):
        values = tokens[b] @ layer.value.weight.T + layer.value.bias
        for n in range(3):
            moves = rows(layer.move, queries[b, n]).view(HEADS, boxes, count, 3)
            weights = rows(layer.weigh, queries[b, n]).view(HEADS, boxes * count).softmax(1).view(HEADS, boxes, count)
            for head in range(HEADS):
                part = slice(head * width, (head + 1) * width)
                for k in range(boxes):
                    x, y, w, h = places[b, n, k].tolist()
                    for p in range(count):
                        dx, dy, dt = moves[head, k, p].tolist()
                        when = min(max(times[k].item() + dt / 2, 0.5 / SIDES[0]), 1 - 0.5 / SIDES[0])
                        point = (x + dx * w / 2, y + dy * h / 2, when)
                        mixed[b, n, part] += weights[head, k, p] * sampled(values[..., part].detach(), point)
    ours = layer(queries, places, times, tokens)
    torch.testing.assert_close(ours, mixed @ layer.proj.weight.T + layer.proj.bias, atol=1e-5, rtol=0)


@pytest.mark.parametrize("boxes", [1, 4])
def test_first_points_reach_the_sides_of_the_box_and_all_of_the_clip(boxes):
    layer = DeformableCrossAttention(64, 8, boxes, 4)
    box = torch.tensor([0.5, 0.4, 0.2, 0.4]).expand(1, 1, boxes, 4)
    times = (torch.arange(boxes) + 0.5) / boxes
    points = layer.points(torch.randn(1, 1, 64), box, times, 64)[0, 0].detach()  # (heads, K P, 3)
    x, y, t = points.flatten(0, 1).unbind(-1)
    for found, low, high in [(x, 0.4, 0.6), (y, 0.2, 0.6)]:
        assert found.min() == pytest.approx(low)
        assert found.max() == pytest.approx(high)
    each = t.unique()
    assert len(each) == 4 * boxes
    torch.testing.assert_close(each, (torch.arange(4 * boxes) + 0.5) / (4 * boxes))


def test_a_box_goes_in_a_straight_line_and_rests_at_the_ends():
    boxes = torch.tensor([[0.0, 0, 1, 1], [1.0, 0, 1, 1]])[None, None]
    x = between(boxes, torch.tensor([0.25, 0.75]), torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]))[0, 0, :, 0]
    assert x.tolist() == [0, 0, 0.5, 1, 1]
