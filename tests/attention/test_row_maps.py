"""Where a step says that its weights lie is where its updates come from."""

import pytest
import torch

from vidattn.attention.scheme import parse_scheme
from vidattn.explain.spread import spread
from vidattn.grid import Grid
from vidattn.models.recorder import Recording

GRID = Grid(frames=2, height=3, width=4, prefix=2)


@pytest.mark.parametrize("name", ["joint", "space", "time", "temporal", "width", "height"])
def test_maps_in_their_rows_are_the_spread_of_the_step(name):
    torch.manual_seed(0)
    step = parse_scheme(f"{name}+joint").steps[0].build(16, 4).double().eval()
    for parameter in step.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x = torch.randn(3, GRID.num_tokens, 16, dtype=torch.float64)
    with torch.no_grad(), Recording([step], 2**30) as recording:
        step(x, GRID)
    (weights,) = recording.visits[step].weights
    maps = step.row_maps(weights, GRID)

    prefix = maps.row.prefix
    whole = torch.arange(GRID.num_video_tokens).view(GRID.sides())
    rows = [  # which tokens of the clip each row holds
        whole[tuple(place if folds > 1 else slice(None) for place, folds in zip(at, maps.folds.sides(), strict=True))]
        for at in torch.cartesian_prod(*(torch.arange(side) for side in maps.folds.sides())).tolist()
    ]
    assert maps.weights.shape == (3, len(rows), maps.row.num_tokens, maps.row.num_tokens)
    wanted = spread(step, x, GRID)[:, GRID.prefix :, GRID.prefix :]
    placed = torch.zeros_like(wanted)
    for index, tokens in enumerate(rows):
        places = tokens.flatten()
        placed[:, places[:, None], places] = maps.weights[:, index, prefix:, prefix:]
    torch.testing.assert_close(placed, wanted)


@pytest.mark.parametrize("name", ["window", "trajectory", "linear", "cbam"])
def test_other_steps_have_none(name):
    step = parse_scheme(f"{name}+joint").steps[0].build(16, 4)
    assert step.row_maps(torch.ones(1, 1, 2, 2), GRID) is None
