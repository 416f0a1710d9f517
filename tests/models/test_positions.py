import numpy as np
import pytest
import torch

from vidattn.grid import Grid
from vidattn.models.positions import POSITIONS, SineTable, TokenTable, resized

NATIVE = Grid(4, 3, 5, prefix=2)
names = pytest.mark.parametrize("name", [name for name in POSITIONS if name != "none"])


def added(name, dim, grid, native=NATIVE):
    """What the tables of this name add to a stream of zeros on `grid`."""
    return torch.zeros(1, grid.num_tokens, dim) + sum(table(dim, native)(grid) for table in POSITIONS[name])


@names
def test_every_token_has_a_vector_of_its_own(name):
    _, video = NATIVE.split(added(name, 32, NATIVE))
    if name == "map":  # made for images: frames share it
        assert torch.equal(video, video[:, :1].expand_as(video))
        video = video[:, :1]
    distances = torch.cdist(video.flatten(1, 3), video.flatten(1, 3))[0]
    assert distances.fill_diagonal_(9.0).min() > 0.05


@names
def test_fresh_tables_leave_prefix_tokens_alone_and_have_unit_scale(name):
    prefix, video = NATIVE.split(added(name, 32, NATIVE))
    assert not prefix.any()
    assert 0.6 < video.square().mean().sqrt() < 1.5


@names
@pytest.mark.parametrize("grid", [Grid(8, 3, 5, 2), Grid(4, 6, 10, 2), Grid(2, 4, 3, 2), Grid(1, 1, 1, 2)])
def test_another_clip_gets_a_vector_for_each_of_its_tokens(name, grid):
    table = added(name, 32, grid)
    assert table.shape == (1, grid.num_tokens, 32)
    assert table.isfinite().all()


def test_sine_is_attention_is_all_you_needs_table():
    """A loop over equation PE of the paper, for each token's number and each component."""
    expected = np.zeros((60, 7))
    for token in range(60):
        for component in range(7):
            angle = token / 10000 ** (2 * (component // 2) / 7)
            expected[token, component] = np.cos(angle) if component % 2 else np.sin(angle)
    _, video = NATIVE.split(SineTable(7, NATIVE)(NATIVE))
    torch.testing.assert_close(video.flatten(0, 3), torch.from_numpy(expected).float())


def test_sine_has_no_parameters_and_nothing_to_save():
    table = SineTable(8, NATIVE)
    assert list(table.parameters()) == []
    assert table.state_dict() == {}


def test_resizing_is_bicubic_in_space_and_linear_in_time():
    def interpolate(x, size, mode):
        return torch.nn.functional.interpolate(x, size, mode=mode, align_corners=False)

    table = torch.randn(1, 4, 3, 5, 6)
    frames = [interpolate(frame.permute(2, 0, 1)[None], (7, 4), "bicubic")[0] for frame in table[0]]
    maps = torch.stack(frames)  # (T, D, 7, 4)
    series = maps.flatten(1).T[None]  # every component of every location along time
    expected = interpolate(series, 9, "linear")[0].T.unflatten(1, (6, 7, 4)).permute(0, 2, 3, 1)[None]
    torch.testing.assert_close(resized(table, 9, 7, 4), expected)
    assert resized(table, 4, 3, 5) is table


def test_a_token_table_starts_as_the_two_tables_do():
    torch.testing.assert_close(TokenTable(32, NATIVE)(NATIVE), added("space+time", 32, NATIVE))
