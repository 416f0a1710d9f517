"""VideoPrism as a network among others; that it is VideoPrism is proven in tests/checkpoints/sources."""

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checkpoints.renaming import WeightsError
from vidattn.explain.rollout import gradient_rollout, rollout
from vidattn.explain.spread import spread
from vidattn.flops.counting import count
from vidattn.models.videoprism import VideoPrismConfig
from vidattn.preprocessing import Preprocessing
from vidattn.training.parameter_groups import layer_numbers

SMALL = VideoPrismConfig(
    num_classes=5,
    num_frames=4,
    image_size=32,
    patch_size=8,
    embed_dim=32,
    spatial_depth=2,
    temporal_depth=2,
    num_heads=2,
    cap=3,
)


def network(**changes):
    torch.manual_seed(0)
    net = replace(SMALL, **changes).build().eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.25)
    return net


def test_declared_macs_are_the_measured_ones_for_other_clips_too():
    net = network().to("meta")
    for shape in ((4, 32, 32), (8, 48, 24), (1, 16, 40)):
        with FlopCounterMode(display=False) as counter, torch.device("meta"):
            assert net(torch.empty(2, 3, *shape)).shape == (2, 5)
        assert counter.get_total_flops() == 2 * net.macs(*shape).flops
    counted = count(SMALL)
    assert counted.macs == net.macs(4, 32, 32).total
    assert [block.runs for block in counted.blocks] == [4, 4, 16, 16]


@pytest.mark.parametrize("pooling", ["query", "normed_mean", "attentive_probe"])
def test_every_parameter_learns_and_checkpointing_changes_memory_only(pooling):
    video = torch.randn(2, 3, 4, 32, 32)
    plain, saving = (network(pooling=pooling, gradient_checkpointing=on).train() for on in (False, True))
    for net in (plain, saving):
        net(video).square().sum().backward()
    for (name, one), other in zip(plain.named_parameters(), saving.parameters(), strict=True):
        assert one.grad is not None, name
        torch.testing.assert_close(one.grad, other.grad, msg=name)


def test_one_export_serves_every_batch():
    net, clip = network(), torch.randn(2, 3, 4, 32, 32)
    program = torch.export.export(net, (clip,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)).module()
    for batch in (1, 3):
        clips = torch.randn(batch, 3, 4, 32, 32)
        torch.testing.assert_close(program(clips), net(clips), rtol=1e-4, atol=1e-4)


def test_compiles_in_one_graph():
    net, video = network().train(), torch.randn(1, 3, 4, 32, 32)
    torch._dynamo.reset()
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(video), net(video), rtol=1e-4, atol=1e-5)


def test_layers_are_numbered_from_the_patches_to_the_head():
    net = network()
    numbers, top = layer_numbers(net)
    by_name = {name: numbers[parameter] for name, parameter in net.named_parameters()}
    assert top == 5
    wanted = {
        "patch.weight": 0,
        "spatial.table": 0,
        "spatial.blocks.1.mlp.fc1.weight": 2,
        "spatial.norm.weight": 2,
        "temporal.table": 2,
        "temporal.blocks.0.mlp.fc1.weight": 3,
        "temporal.norm.weight": 5,
        "readout.query": 5,
        "head.bias": 5,
    }
    assert {name: by_name[name] for name in wanted} == wanted


def test_the_map_is_the_product_over_places_in_time_and_frames_in_space():
    net, video = network(), torch.randn(1, 3, 4, 32, 32)
    factors, seen = [], []
    for tower in (net.spatial, net.temporal):
        for block in tower.blocks:
            block.steps[0].register_forward_pre_hook(lambda step, args: seen.append((step, *args)))
    with torch.no_grad():
        x = net.norm(net.features(video).tokens)
        k = net.readout.kv(x)[0, :, : 4 * 32].unflatten(1, (2, -1))
        q = net.readout.q(net.readout.query)[0, 0].unflatten(0, (2, -1))
        q = q * 1.442695041 * torch.nn.functional.softplus(net.readout.scale)
        rows = (torch.einsum("hd,shd->hs", q, k) / 64**0.5).softmax(-1).mean(0)
    for step, tokens, grid in list(seen):
        mixed = spread(step, tokens, grid)  # (runs, n, n)
        whole = torch.zeros(4, 16, 4, 16)
        for run, one in enumerate(mixed):
            if len(mixed) == 4:
                whole[run, :, run, :] = one
            else:
                whole[:, run, :, run] = one
        factors.append((torch.eye(64) + whole.view(64, 64)) / 2)
    for factor in reversed(factors):
        rows = rows @ factor
    torch.testing.assert_close(rollout(net, video).video.flatten(), rows, rtol=1e-3, atol=1e-6)


def test_a_map_for_a_class_speaks_for_it():
    net, video = network(), torch.randn(2, 3, 4, 32, 32)
    one, other = (gradient_rollout(net, video, class_index=index).video for index in (0, 1))
    torch.testing.assert_close(one.sum((1, 2, 3)), torch.ones(2))
    assert (one - other).abs().max() > 1e-3


def saved(folder, **changes):
    pixels = Preprocessing(image_size=32, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    Pretrained(network(**changes), list("abcde"), pixels).save_pretrained(folder)
    return folder


def test_weights_move_to_other_clips_another_read_out_and_another_training(tmp_path):
    model = load(saved(tmp_path), num_frames=8, image_size=(32, 48), pooling="normed_mean", drop_path=0.1)
    assert model.network(torch.randn(1, 3, 8, 32, 48)).shape == (1, 5)
    assert model.report == [
        "spatial.table: resized, (4, 4) -> (4, 6), bilinear",
        "temporal.table: resized, (4, 1) -> (8, 1), bilinear",
        "pooling: query in the file, normed_mean here; the read-out starts fresh",
    ]
    video = torch.randn(1, 3, 8, 32, 48)
    with torch.no_grad():  # as the network itself would resize them
        torch.testing.assert_close(model.network.features(video).tokens, network().features(video).tokens)


def test_another_width_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="embed_dim=32 in the file, 64 here"):
        load(saved(tmp_path), embed_dim=64)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 30}, r"image_size=30x30: 30 is not a multiple of patch_size=8"),
        ({"num_heads": 3}, r"embed_dim=32 is not a multiple of num_heads=3"),
        ({"pooling": "class_token"}, r"pooling='class_token' reads a class token, which VideoPrism has none of"),
        ({"temporal_depth": 0}, r"temporal_depth=0 must be at least 1"),
        ({"norm_eps": 0.0}, r"norm_eps=0\.0 must be more than 0"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **changes)


def test_places_cannot_be_left_out():
    with pytest.raises(ValueError, match="no places can be left out"):
        network().features(torch.zeros(1, 3, 4, 32, 32), keep=torch.tensor([[0, 1]]))
