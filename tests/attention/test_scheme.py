import pytest
import torch
from torch import Tensor

from vidattn.attention.base import ImageAttention, VideoAttention
from vidattn.attention.joint import JointAttention
from vidattn.attention.per_frame import PerFrame
from vidattn.attention.scheme import IMAGE_STEPS, list_attentions, parse_scheme
from vidattn.grid import Grid
from vidattn.macs import Macs


class Nothing(VideoAttention):
    """A stranger's attention, used by its import path."""

    def __init__(self, dim: int, num_heads: int, window: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.arguments = (dim, num_heads, window, stride)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        return 0 * x

    def macs(self, grid: Grid) -> Macs:
        return Macs()


class Same(ImageAttention):
    def __init__(self, dim: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x

    def macs(self, height: int, width: int) -> Macs:
        return Macs()


def names(spec):
    return [step.turns[0].__name__ for step in parse_scheme(spec).steps]


def test_a_sum_is_a_list_of_steps_in_order():
    assert names("time+space") == ["TemporalAttention", "SpatialAttention"]
    assert names(" space + time ") == ["SpatialAttention", "TemporalAttention"]
    assert names("joint+time+joint") == ["JointAttention", "TemporalAttention", "JointAttention"]


def test_spaces_make_no_difference_in_a_scheme_of_its_own_name():
    assert parse_scheme(" space | time ") == parse_scheme("space|time") == parse_scheme("split_heads")


def test_divided_is_time_then_space():
    assert parse_scheme("divided") == parse_scheme("time+space")


def test_an_import_path_stands_wherever_a_name_may():
    first, second = parse_scheme(f"time+{__name__}.Nothing(7, -2)").steps
    assert first.build(32, 4).attn.num_heads == 4
    assert second.build(32, 4).arguments == (32, 4, 7, -2)


def test_an_image_block_runs_per_frame():
    (step,) = parse_scheme(f"{__name__}.Same").steps
    assert isinstance(step.build(32, 4), PerFrame)


def test_steps_take_the_given_heads():
    (step,) = parse_scheme("joint").steps
    attention = step.build(dim=48, num_heads=3)
    assert isinstance(attention, JointAttention)
    assert attention.attn.num_heads == 3


@pytest.mark.parametrize("name", IMAGE_STEPS)
def test_every_image_block_is_a_step_by_its_name(name):
    (step,) = parse_scheme(name).steps
    attention = step.build(32, 2).eval()
    grid = Grid(2, 7, 5)
    with torch.no_grad():
        assert attention(torch.randn(1, grid.num_tokens, 32), grid).shape == (1, grid.num_tokens, 32)


@pytest.mark.parametrize(("spec", "heads"), [("swin", 4), ("swin(5)", 4), ("swin(5, 2)", 2)])
def test_an_image_block_takes_the_networks_heads_unless_the_spec_says_otherwise(spec, heads):
    (step,) = parse_scheme(spec).steps
    assert step.build(32, 4).block.attn.num_heads == heads


def test_windows_are_shifted_in_every_second_block():
    for spec in ("window(2,2,2)", "swin(2)"):
        (step,) = parse_scheme(spec).steps
        built = [step.build(32, 4, block) for block in range(4)]
        kinds = [type(getattr(one, "block", one)).__name__ for one in built]
        assert [kind.startswith("Shifted") for kind in kinds] == [False, True, False, True]


def test_an_image_block_without_heads_is_built_without_them():
    (step,) = parse_scheme("cbam(4)").steps
    assert step.build(32, 4).block.channel.hidden == 8


def test_what_an_image_block_adds_to_the_stream_holds_the_input_once():
    """Non-local returns x + f(x), swin f(x), a gate x * gate(x): a video step adds f(x), f(x) and the gated map."""
    for name in IMAGE_STEPS:
        (step,) = parse_scheme(name).steps
        block = step.build(32, 2).block.double().eval()
        x = torch.randn(1, 32, 4, 5, dtype=torch.float64)
        inside = name in ("non_local", "pooled_non_local", "criss_cross", "peg")
        torch.testing.assert_close(block(x), x + block.update(x) if inside else block.update(x), msg=name)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("tiem+space", r"unknown step 'tiem'; did you mean 'time'\? Known: acmix, axial, cbam, .*divided, .*joint"),
        ("divided+joint", r"'divided' is a whole scheme, not a step; write time\+space for it"),
        ("JOINT", r"unknown step 'JOINT'; did you mean 'joint'\? Known: acmix"),
        ("xyzzy", r"unknown step 'xyzzy'\. Known: acmix"),
        ("time+", "cannot be read"),
        ("time-space", "not a name with plain arguments"),
        ("joint(x=3)", "not a name with plain arguments"),
        ("joint(torch)", "must be plain numbers"),
        ("no.such.module.Attention", "cannot import"),
        ("joint(1)", r"attention='joint\(1\)': joint takes no arguments, given \(1\)"),
        ("space(1)", "space takes no arguments"),
        ("window(2,2,2,2)", r"window takes \(t=8, h=7, w=7\), given \(2, 2, 2, 2\)"),
        ("time+swin(7,1,2,3,4,5)", r"swin takes \(window_size=7, num_heads\), given \(7, 1, 2, 3, 4, 5\)"),
        ("window(2.5,2,2)", r"window takes \(t=8, h=7, w=7\); t=2.5 must be a whole number"),
        ("window(2,'a',2)", "h='a' must be a whole number"),
        ("window(True)", "t=True must be a whole number"),
        ("dat(1,5,2,'a')", "offset_range='a' must be a number"),
        ("space+cbam(0)", r"cbam takes \(reduction=16, kernel_size=7\); reduction=0 must be at least 1"),
        ("swin(7,-1)", "num_heads=-1 must be at least 1"),
        (f"{__name__}.Nothing(1,2,3)", r"Nothing takes \(window=3, stride=1\), given \(1, 2, 3\)"),
        (f"{__name__}.Nothing(1.5)", "window=1.5 must be a whole number"),
        ("vidattn.grid.Grid", "neither a VideoAttention nor an ImageAttention"),
    ],
)
def test_a_wrong_spec_says_what_is_wrong(spec, message):
    with pytest.raises(ValueError, match=message):
        parse_scheme(spec)


def test_every_attention_that_is_listed_is_a_scheme():
    assert {"time", "space", "joint", "cbam", "swin", "divided", "space|time"} <= {*list_attentions()}
    assert set(list_attentions("image_*")) <= set(list_attentions())
    assert all(parse_scheme(name).steps for name in list_attentions())
