"""Looking at all of a clip, against loops over queries, heads and tokens."""

import math

import pytest
import torch
from boxed_queries import DIM, HEADS, SIDES, case, rows, shaken

from vidattn.models.cross_attention import DenseCrossAttention, between
from vidattn.models.tubes import waves


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


def test_a_box_goes_in_a_straight_line_and_rests_at_the_ends():
    boxes = torch.tensor([[0.0, 0, 1, 1], [1.0, 0, 1, 1]])[None, None]
    x = between(boxes, torch.tensor([0.25, 0.75]), torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]))[0, 0, :, 0]
    assert x.tolist() == [0, 0, 0.5, 1, 1]
