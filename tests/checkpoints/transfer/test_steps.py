import pytest
import torch
from small_networks import SMALL

from vidattn.attention.base import Role
from vidattn.attention.per_frame import PerFrame
from vidattn.attention.scheme import STEPS, parse_scheme
from vidattn.checkpoints.transfer.steps import role, weight_sources
from vidattn.grid import Grid

GRID = Grid(frames=4, height=4, width=4)


def steps(attention):
    torch.manual_seed(0)
    return [step.build(SMALL.embed_dim, SMALL.num_heads) for step in parse_scheme(attention).steps]


def randomised(step):
    for parameter in step.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return step.eval()


KNOWN = [
    name
    for name, found in STEPS.items()
    if any(cls.role != Role() for cls in (found if isinstance(found, tuple) else (found,)))
]


def test_all_video_steps_have_a_role_and_gates_have_none():
    assert set(STEPS) - set(KNOWN) == {
        "cbam",
        "channel_attention",
        "criss_cross",
        "mbconv",
        "mbconv_se",
        "spatial_gate",
        "squeeze_excite",
        "stand_alone",
    }


@pytest.mark.parametrize("name", KNOWN)
def test_zeroing_a_steps_output_silences_it_and_it_can_still_learn(name):
    (step,) = steps(name)
    randomised(step)
    x = torch.randn(1, GRID.num_tokens, 32)
    assert step(x, GRID).abs().max() > 1e-3

    for output in role(step).outputs:
        for parameter, value in step.named_parameters():
            if parameter == output or parameter.startswith(f"{output}."):
                torch.nn.init.zeros_(value)
    update = step(x, GRID)
    update.sum().backward()

    assert not update.any()
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in step.parameters())


@pytest.mark.parametrize("name", KNOWN)
def test_a_role_names_layers_of_attention_that_the_step_has(name):
    (step,) = steps(name)
    names = dict(step.named_parameters())
    where = role(step).attention

    if where is not None:
        assert names[f"{where}qkv.weight"].shape == (96, 32)
        assert names[f"{where}proj.weight"].shape == (32, 32)
    assert role(step).optional >= isinstance(step, PerFrame)  # prefix tokens have no part in an image block


@pytest.mark.parametrize(
    ("trained", "wanted", "sources"),
    [
        ("time+space", "space+time", [(1, True, False), (0, True, False)]),
        ("time+space", "joint", [(1, False, False)]),
        ("joint", "time+space", [(0, False, True), (0, False, False)]),
        ("space", "time+space+cbam", [(0, False, True), (0, True, False), (None, False, False)]),
        ("joint", "joint+peg", [(0, True, False), (None, False, True)]),
        ("window(2,2,2)", "window(4,2,2)", [(0, True, False)]),
        ("joint", "local+global", [(0, False, True), (0, False, False)]),
        ("space+time", "space+temporal", [(0, True, False), (1, False, False)]),
        ("temporal+joint", "joint+time", [(1, True, False), (0, False, False)]),
        ("time+space", "time+temporal+space", [(0, True, False), (1, False, True), (1, True, False)]),
    ],
)
def test_where_a_steps_weights_come_from(trained, wanted, sources):
    assert [tuple(found) for found in weight_sources(steps(trained), steps(wanted))] == sources
