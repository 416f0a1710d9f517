import pytest
import torch

from vidattn.models.presets import preset
from vidattn.probing.levels import check_levels, level_tokens, level_vectors


def network(**changes):
    torch.manual_seed(0)
    sizes = {"depth": 4, "embed_dim": 16, "num_heads": 2, "image_size": 16, "patch_size": 8, "num_frames": 2}
    return preset("Ti", **sizes | changes).build().eval()


@pytest.mark.parametrize("attention", ["joint", "divided"])
def test_a_level_is_what_a_network_that_ends_there_gives(attention):
    whole, clips = network(attention=attention), torch.randn(2, 3, 2, 16, 16)
    tokens, vectors = level_tokens(whole, clips, [1, 3]), level_vectors(whole, clips, [3, 4])
    ends = {}
    for depth in (1, 3, 4):
        ends[depth] = network(attention=attention, depth=depth)
        state = {name: value for name, value in whole.state_dict().items() if name in ends[depth].state_dict()}
        ends[depth].load_state_dict(state)
    wanted = [ends[depth].features(clips, normalized=True).tokens for depth in (1, 3)]
    torch.testing.assert_close(tokens, torch.cat(wanted, 1))
    wanted = [ends[depth].read(ends[depth].features(clips)) for depth in (3, 4)]
    torch.testing.assert_close(vectors, torch.cat(wanted, -1))
    assert not any(block._forward_hooks for block in whole.blocks)


@pytest.mark.parametrize("levels", [[0, 2], [5], [2, 2]])
def test_levels_that_are_no_blocks_are_refused(levels):
    with pytest.raises(ValueError, match=r"wanted blocks of the network, counted from 1 to 4, .* such as 1 2 3 4"):
        check_levels(network(), levels)


def test_a_network_whose_blocks_differ_is_refused():
    with pytest.raises(ValueError, match="the blocks of HierarchicalTransformer differ in their tokens"):
        check_levels(preset("swin3d-t", depths=(1, 1, 1, 1)).build(), [1, 2])
