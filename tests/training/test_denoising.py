import pytest
import torch

from vidattn.data.boxes.people import People
from vidattn.grid import Grid
from vidattn.mistakes import Mistake
from vidattn.models.network import Features
from vidattn.models.query_decoder import Queries
from vidattn.training.denoising import Denoising, given_people, known_people
from vidattn.training.matching import Targets

CPU = torch.device("cpu")


def targets(*counts):
    torch.manual_seed(sum(counts))
    people = []
    for count in counts:
        corner = 0.2 + torch.rand(count, 4, 2) * 0.3
        boxes = torch.cat((corner, corner + 0.1 + torch.rand(count, 4, 2) * 0.2), dim=-1)
        people.append(People(boxes, torch.ones(count, 4, dtype=torch.bool), torch.eye(3)[torch.arange(count) % 3]))
    return Targets.of(people, 4, 2, 3, CPU)


def test_noise_moves_and_scales_a_tube_as_one_within_its_limits():
    there = targets(2, 1)
    kind = Denoising(groups=5, shift=0.5, scale=0.25)
    given = kind.draw(there, [1, 2])
    assert given.group.tolist() == [[0, 0, 1, 1, 2, 2, 3, 3, 4, 4], [0, -1, 1, -1, 2, -1, 3, -1, 4, -1]]
    true = there.boxes.repeat(1, 5, 1, 1)
    known = given.group >= 0
    moved = ((given.boxes - true)[..., :2] / (true[..., 2:] / 2))[known]
    scaled = (given.boxes / true)[..., 2:][known]
    torch.testing.assert_close(moved[:, 0], moved[:, 1])
    torch.testing.assert_close(scaled[:, 0], scaled[:, 1])
    assert 0.2 < moved.abs().max() <= 0.5 + 1e-5
    assert 0.1 < (scaled - 1).abs().max() <= 0.25 + 1e-5


def test_what_is_drawn_for_a_clip_does_not_depend_on_the_others():
    kind = Denoising()
    alone = kind.draw(targets(2), [7])
    together = kind.draw(Targets(*(one.repeat(2, *[1] * (one.ndim - 1)) for one in targets(2))), [3, 7])
    torch.testing.assert_close(together.boxes[1], alone.boxes[0])
    assert (together.boxes[0] - together.boxes[1]).abs().max() > 1e-3


def test_each_given_box_is_told_whose_it_is():
    there = targets(2, 0, 1)
    given = given_people(there, 2)
    decoder = Queries(num_queries=3, num_boxes=2, embed_dim=16, depth=2, num_heads=2).build(8, 3)
    _, said = decoder(Features(torch.randn(3, 8, 8), Grid(2, 2, 2, 0)), 4, given)
    flat, people, of_query = known_people(said, given, there)
    assert flat.logits.shape == (2, 1, 6, 4)
    assert of_query.tolist() == [[[0, 1, 2, 3, 4, 5]]] * 2
    assert people.boxes[0].equal(given.boxes[given.group >= 0])
    assert flat.logits[0, 0, 4].equal(said.logits[0, 2, 0])
    assert people.actions[0].argmax(1).tolist() == [0, 1, 0, 1, 0, 0]


def test_of_nobody_a_single_filler_is_handed_in():
    given = Denoising().draw(targets(0, 0), [1, 2])
    assert given.group.tolist() == [[-1], [-1]]


def test_wrong_numbers_are_named():
    with pytest.raises(Mistake, match=r"denoising shift=1.5"):
        Denoising(shift=1.5)
    with pytest.raises(Mistake, match="groups=0"):
        Denoising(groups=0)
