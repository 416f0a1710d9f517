from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from vidattn.attention.temporal import TemporalAttention
from vidattn.data.made.images import draw_shapes
from vidattn.grid import Grid
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.image_classifier import ImageClassifier, ImageClassifierConfig, lift
from vidattn.models.video_transformer import VideoTransformer

SMALL = ImageClassifierConfig("peg+map", 4, widths=(32, 64), depths=(1, 1), head_dim=16, mlp_ratio=2.0)
HYBRID = ("mbconv", "relative(4,4)")  # convolution early, attention late, as CoAtNet


def network(attention, **changes):
    torch.manual_seed(0)
    return ImageClassifier(replace(SMALL, attention=attention, **changes))


@pytest.mark.parametrize(("attention", "steps"), [("peg+swin(4)", 300), (HYBRID, 150)], ids=str)
def test_learns_shapes_within_seconds(attention, steps):
    images, labels = draw_shapes(4096, seed=0)
    unseen, answers = draw_shapes(512, seed=1)
    net = network(attention)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps)
    for _ in range(steps):
        batch = torch.randint(len(images), (64,))
        loss = torch.nn.functional.cross_entropy(net(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

    with torch.no_grad():
        accuracy = (net.eval()(unseen).argmax(1) == answers).float().mean()
    assert accuracy >= 0.9


@pytest.mark.parametrize("attention", ["peg+swin(4)", "swin(3)", "twins(3,2)", HYBRID], ids=str)
@pytest.mark.parametrize("size", [(32, 32), (37, 22)], ids=str)
def test_declared_macs_are_the_measured_ones_at_any_size(attention, size):
    with torch.device("meta"):
        net, images = network(attention, depths=(2, 1)).eval(), torch.empty(2, 3, *size)
        with FlopCounterMode(display=False) as counter:
            assert net(images).shape == (2, 4)
    # The head runs once per image, everything else once per token: all of it in macs().
    assert counter.get_total_flops() == 2 * net.macs(*size).flops


def test_heads_are_as_wide_at_every_stage():
    with torch.device("meta"):
        net = ImageClassifier(ImageClassifierConfig(depths=(1, 1, 1, 1)))  # Swin-T's widths
    assert [stage.blocks[0].steps[0].block.attn.num_heads for stage in net.stages] == [3, 6, 12, 24]


@pytest.mark.parametrize("attention", ["peg+map", "swin(4)", HYBRID], ids=str)
def test_a_lifted_block_does_to_each_frame_what_it_did_to_the_image(attention):
    net = network(attention).double().eval()
    block = net.stages[1].blocks[0]
    time = TemporalAttention(64, 4).double()  # as it starts: its update is zero
    video_block = lift(block, before=[time]).double()
    grid = Grid(3, 4, 5, prefix=1)
    x = torch.randn(2, grid.num_tokens, 64, dtype=torch.float64)

    frames = grid.split(video_block(x, grid))[1]
    expected = grid.split(x)[1].flatten(0, 1).flatten(1, 2)
    expected = block(expected, Grid(1, 4, 5, prefix=0)).view(frames.shape)

    torch.testing.assert_close(frames, expected)
    shared = {id(parameter) for parameter in block.parameters()}
    own = {id(parameter) for parameter in video_block.parameters()}
    assert shared < own
    assert len(own - shared) == len(list(time.parameters())) + 2  # and the norm before it


def test_a_lifted_block_loads_into_a_video_model_of_that_scheme():
    block = network("swin(4)").stages[0].blocks[0]
    config = VideoTransformerConfig(
        "time+swin(4)", num_classes=4, image_size=32, embed_dim=32, depth=1, num_heads=2, mlp_ratio=2.0
    )
    model = VideoTransformer(config)
    model.blocks[0].load_state_dict(lift(block, before=[TemporalAttention(32, 2)]).state_dict())
    torch.testing.assert_close(model.blocks[0].steps[1].state_dict(), block.steps[0].state_dict())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"widths": (32,)}, r"widths=\(32,\) and depths=\(1, 1\) must have one number for each stage"),
        ({"attention": ("map",)}, "names 1 schemes for 2 stages"),
        ({"attention": "swim"}, "did you mean 'swin'"),
        ({"drop_path": 1.5}, "drop_path=1.5 is not a probability"),
        ({"patch_size": 0}, "patch_size=0 must be at least 1"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **changes)


def test_a_wrong_input_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"input of shape \(2, 1, 8, 8\); wanted \(batch, 3, height, width\)"):
        network("map")(torch.zeros(2, 1, 8, 8))
