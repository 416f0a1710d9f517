"""What an encoder makes of some of a clip's tokens: exactly what they would be as a clip of their own."""

from dataclasses import replace

import pytest
import torch
from golden import SMALL, drawn, filled

import vidattn
from vidattn.models.keep import Columns, Tokens

SCHEMES = ["joint", "divided", "space", "space+temporal", "space|time", "space>time(2)", "trajectory", "linear"]
PLACES = torch.tensor([[0, 5, 6, 11], [15, 2, 3, 9]])  # of 16, other ones in each clip, in any order


def small(**changes):
    return filled(vidattn.build_network(replace(SMALL, **changes)))


def clips():
    return drawn("keep", torch.Size((2, 3, 4, 32, 32)))


def loop(network, places, random=False):
    """Clip by clip: tokens with their positions, those that are kept put into the blocks as a stream of their own."""
    outputs = []
    for clip, kept in zip(clips(), places.tolist(), strict=True):
        whole = network.config.grid(4, 32, 32)
        prefix, table = whole.split((network.position(whole) + network.time(whole)).expand(1, whole.num_tokens, -1))
        tokens = network.patch(clip[None]) + table
        frames = tokens.flatten(1, 3)[:, kept] if random else tokens.flatten(2, 3)[:, :, kept]
        grid = whole._replace(frames=1 if random else 4, height=1, width=len(kept))
        x = torch.cat((network.prefix + prefix, frames.reshape(1, -1, frames.shape[-1])), dim=1)
        for block in network.blocks:
            x = block(x, grid)
        outputs.append(x)
    return torch.cat(outputs)


@pytest.mark.parametrize("pooling", ["class_token", "mean"])
@pytest.mark.parametrize("scheme", ["joint", "divided", "space+temporal", "space|time", "trajectory", "linear"])
def test_kept_places_give_what_a_plain_loop_over_them_gives_and_gradients_too(scheme, pooling):
    network = small(attention=scheme, pooling=pooling)
    features = network.features(clips(), keep=PLACES)
    wanted = loop(network, PLACES)

    torch.testing.assert_close(features.tokens, wanted)
    assert features.grid[:4] == (4, 1, 4, network.config.native_grid.prefix)
    weight = network.blocks[0].mlp.fc1.weight
    ours, theirs = (torch.autograd.grad(out.square().sum(), weight)[0] for out in (features.tokens, wanted))
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("scheme", ["joint", "linear"])
def test_a_scheme_that_does_not_ask_for_frames_takes_any_tokens(scheme):
    network = small(attention=scheme)
    places = torch.tensor([[0, 17, 40, 63, 5], [1, 2, 3, 60, 61]])
    torch.testing.assert_close(
        network.features(clips(), keep=Tokens(places)).tokens, loop(network, places, random=True)
    )


@pytest.mark.parametrize("changes", [{"query_key": "rotary"}, {"query_key": "norm+rotary"}, {"position": "token"}])
@pytest.mark.parametrize("scheme", SCHEMES[:6])
def test_all_places_kept_in_their_order_change_nothing(scheme, changes):
    """Rotary positions too: where a token lies travels with the grid."""
    network = small(attention=scheme, **changes)
    everything = torch.arange(16).expand(2, -1)
    torch.testing.assert_close(network.features(clips(), keep=everything).tokens, network.features(clips()).tokens)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_order_in_which_places_are_kept_makes_no_difference_to_the_answer(scheme):
    network = small(attention=scheme, query_key="plain" if scheme == "linear" else "rotary")
    answers = [network.read(network.features(clips(), keep=keep)) for keep in (PLACES, PLACES.flip(1))]
    torch.testing.assert_close(*answers)
    assert not torch.allclose(answers[0], network.read(network.features(clips(), keep=(PLACES + 1) % 16)))


@pytest.mark.parametrize(
    "scheme", ["axial", "time+window(2,2,2)", "neighborhood(3,3,3)", "pooled", "time+cbam", "local+global"]
)
def test_a_step_that_needs_the_map_refuses_and_says_which(scheme):
    with pytest.raises(ValueError, match=r"cannot leave places out: .*must know the row and column"):
        small(attention=scheme, pooling="mean").features(clips(), keep=PLACES)


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (Tokens(PLACES), "asks which frame a token is from"),
        (PLACES + 16, "keep has places 16 to 31, outside the 16 locations of a frame"),
    ],
)
def test_what_cannot_be_kept_is_named(keep, message):
    with pytest.raises(ValueError, match=message):
        small(attention="divided").features(clips(), keep=keep)


@pytest.mark.parametrize("places", [torch.zeros(2, 3), torch.zeros(2, 0, dtype=torch.int64), torch.arange(3)])
def test_places_are_whole_numbers_of_each_clip(places):
    with pytest.raises(ValueError, match="wanted whole numbers"):
        Columns(places)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_forward_is_head_and_norm_of_what_is_read_out_of_the_features(scheme):
    network = small(attention=scheme)
    features = network.features(clips())
    torch.testing.assert_close(network.head(network.read(features)), network(clips()), rtol=0, atol=0)
    torch.testing.assert_close(network.features(clips(), normalized=True).tokens, network.norm(features.tokens))
    assert features.tokens.shape[1] == features.grid.num_tokens
