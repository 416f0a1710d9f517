import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from vidattn.grid import Grid
from vidattn.mistakes import Mistake
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.network import Features
from vidattn.models.query_decoder import Cross, DeformableCross, DenseCross, Given, Queries

GRID = Grid(4, 5, 6, prefix=1)
CROSSES = {"dense": DenseCross(), "deformable": DeformableCross(3)}


def numbers(cross="deformable", boxes=1, **others):
    return Queries(num_queries=5, num_boxes=boxes, embed_dim=32, depth=2, num_heads=4, cross=CROSSES[cross], **others)


def features(clips=2, **options):
    return Features(torch.randn(clips, GRID.num_tokens, 24, **options), GRID)


def alive(decoder):
    """Boxes move and points go their own ways, as after some training."""
    for parameter in decoder.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    return decoder


@pytest.fixture(params=[(cross, boxes) for cross in CROSSES for boxes in (1, 3)], ids=str)
def kind(request):
    return request.param


def test_each_layer_says_boxes_and_actions_of_each_query(kind):
    found, none = numbers(*kind).build(24, 7)(features(), 8)
    assert found.boxes.shape == (2, 2, 5, kind[1], 4)
    assert found.logits.shape == (2, 2, 5, 8)
    assert (found.shown is None) == (kind[1] == 1)
    assert none.boxes.shape[2] == 0
    assert ((found.boxes > 0) & (found.boxes < 1)).all()
    assert found.layer(-1).logits.equal(found.logits[-1:])


def test_declared_macs_are_measured(kind):
    with torch.device("meta"):
        decoder, given = numbers(*kind).build(24, 7), Given(torch.empty(2, 3, kind[1], 4), torch.zeros(2, 3).long())
        declared = {}
        names = {module: name for name, module in decoder.named_modules()}
        for module in decoder.modules():
            if hasattr(module, "macs_of_call"):
                module.register_forward_hook(
                    lambda module, inputs, out: declared.__setitem__(
                        names[module], declared.get(names[module], 0) + module.macs_of_call(inputs, out).total
                    )
                )
        with FlopCounterMode(display=False) as counter:
            decoder(features(), 8, given)
    assert 2 * declared.pop("") == counter.get_total_flops()
    assert len(declared) == 6
    for name, macs in declared.items():
        assert 2 * macs == sum(counter.get_flop_counts()[f"QueryDecoder.{name}"].values()), name


def test_given_boxes_change_nothing_for_the_queries_nor_for_other_groups(kind):
    decoder = alive(numbers(*kind).build(24, 7)).double()
    clip = features(dtype=torch.float64)
    boxes = torch.rand(2, 4, kind[1], 4, dtype=torch.float64) * 0.5 + 0.2
    group = torch.tensor([[0, 0, 1, -1], [0, -1, -1, -1]])
    alone, _ = decoder(clip, 8)
    found, said = decoder(clip, 8, Given(boxes, group))
    for ours, theirs in zip(found, alone, strict=True):
        assert ours is None or torch.equal(ours.isfinite(), torch.ones_like(ours, dtype=torch.bool))
        torch.testing.assert_close(ours, theirs)

    boxes[:, 2:] = 0.5  # another group, and what fills up
    _, again = decoder(clip, 8, Given(boxes, group))
    torch.testing.assert_close(again.logits[:, :, :2], said.logits[:, :, :2])
    boxes[0, 1] = 0.5  # the neighbour
    _, other = decoder(clip, 8, Given(boxes, group))
    assert (other.logits[:, 0, 0] - said.logits[:, 0, 0]).abs().max() > 1e-6
    torch.testing.assert_close(other.logits[:, 1, :1], said.logits[:, 1, :1])


def test_every_parameter_learns_also_where_no_box_was_given(kind):
    decoder = alive(numbers(*kind).build(24, 7))
    found, said = decoder(features(), 8, Given(torch.full((2, 1, kind[1], 4), 0.5), torch.full((2, 1), -1)))
    sum(one.square().sum() for one in (*found, *said) if one is not None).backward()
    for name, parameter in decoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_boxes_take_no_gradient_from_one_layer_to_the_next():
    decoder = numbers().build(24, 7)  # fresh: what is seen moves no box yet
    found, _ = decoder(features(1), 8)
    first, later = (
        torch.autograd.grad(found.boxes[layer].sum(), decoder.anchors, retain_graph=True, materialize_grads=True)[0]
        for layer in range(2)
    )
    torch.testing.assert_close(first, (found.boxes[0] * (1 - found.boxes[0]))[0, :, 0])
    assert not later.any()


def test_recomputed_layers_give_the_same_gradients():
    decoder, clip = alive(numbers().build(24, 7)), features()
    grads = []
    for decoder.recompute in (False, True):
        found, _ = decoder(clip, 8)
        (found.boxes.sum() + found.logits.square().sum()).backward()
        grads.append([parameter.grad.clone() for parameter in decoder.parameters() if parameter.grad is not None])
        decoder.zero_grad()
    assert all(torch.equal(one, other) for one, other in zip(*grads, strict=True))


def test_it_reads_the_tokens_of_a_network_in_stages():
    config = HierarchicalConfig(
        attention="window(2)", num_frames=4, image_size=32, widths=(16, 32), depths=(1, 1), num_heads=(2, 2)
    )
    network = config.build()
    out = network.features(torch.randn(1, 3, 4, 32, 32), normalized=True)
    found, _ = numbers().build(network.num_features, 3)(out, 4)
    assert found.boxes.shape == (2, 1, 5, 1, 4)


def test_the_clip_changes_what_is_said_of_it(kind):
    decoder = alive(numbers(*kind).build(24, 7))
    one, two = features(), features()
    assert (decoder(one, 8)[0].logits - decoder(two, 8)[0].logits).abs().max() > 1e-3


def test_it_runs_in_half_precision(kind):
    decoder = numbers(*kind).build(24, 7)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, _ = decoder(features(), 8)
    assert found.boxes.dtype == found.logits.dtype == torch.float32
    found, _ = decoder.bfloat16()(features(dtype=torch.bfloat16), 8)
    assert found.boxes.isfinite().all()


def test_wrong_numbers_are_named():
    with pytest.raises(Mistake, match="embed_dim=30, num_heads=4"):
        Queries(embed_dim=30, num_heads=4)
    with pytest.raises(Mistake, match="num_queries=0"):
        Queries(num_queries=0)
    assert isinstance(Queries().cross, Cross)
