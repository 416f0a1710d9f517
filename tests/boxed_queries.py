"""Three queries with boxes in each of two clips, and layers whose weights all matter."""

import torch

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
