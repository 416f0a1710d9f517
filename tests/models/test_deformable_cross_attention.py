"""Looking at a few points of a clip, against loops over queries, heads, boxes and points."""

import math

import pytest
import torch
from boxed_queries import DIM, HEADS, SIDES, case, rows, shaken

from vidattn.models.deformable_cross_attention import DeformableCrossAttention


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
