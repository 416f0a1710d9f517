"""A step's weights on the full grid are those that its `forward` mixes by, whichever way it folds its tokens."""

import pytest
import torch
import torch.nn.functional as F
from attention.test_contract import CASES, DIM, GRIDS, HEADS, build, tokens
from torch import nn

from vidattn.attention.base import VideoAttention
from vidattn.attention.heads import SelfAttention
from vidattn.attention.multiscale import MultiscaleAttention
from vidattn.attention.pooled import pooled
from vidattn.attention.scheme import IMAGE_STEPS, parse_scheme
from vidattn.explain.spread import Recording, spread
from vidattn.grid import Grid

D = DIM // HEADS  # width of a head
WEIGHTED = [case for case in CASES if case.spec != "peg3d"]  # a convolution has no attention weights
cases = pytest.mark.parametrize("case", WEIGHTED, ids=["-".join((case.spec, *case[2:])) for case in WEIGHTED])


def every_head_hands_on_the_same(step: VideoAttention) -> torch.Tensor:
    """Make the values of all heads one projection of the tokens, and the output the mean of the heads; that projection.

    Then the step's output is its weights, averaged over the heads, times those values: no matter which.
    """
    value = torch.randn(D, DIM)
    mean = torch.zeros(DIM, DIM)
    mean[:D] = torch.eye(D).repeat(1, HEADS) / HEADS
    again = torch.eye(D).repeat(HEADS, HEADS) / HEADS  # mean over heads, given to all heads
    inner = getattr(step, "attn", step)
    inner.qkv.weight.data[2 * DIM :] = value.repeat(HEADS, 1)
    (inner.qkv.value_bias.data if hasattr(inner.qkv, "value_bias") else inner.qkv.bias.data[2 * DIM :]).zero_()
    inner.proj.weight.data, inner.proj.bias.data = mean, torch.zeros(DIM)
    if hasattr(step, "fc"):
        step.fc.weight.data, step.fc.bias.data = torch.eye(DIM), torch.zeros(DIM)
    if hasattr(step, "path_kv"):  # trajectory
        step.path_kv.weight.data[DIM:], step.path_kv.bias.data[DIM:] = again, 0
    if hasattr(step, "norm_v"):  # pooled: a key is its own token's value
        step.norm_v = nn.Identity()
        step.pool_v.weight.data.zero_()[:, :, 1, 1, 1] = 1
    if isinstance(step, MultiscaleAttention):  # a query is its own token's
        step.pool_q.weight.data.zero_()[:, :, 1, 1, 1] = 1
    return value


def queries_beside(step: VideoAttention, x: torch.Tensor, grid: Grid) -> tuple[torch.Tensor, torch.Tensor]:
    """MViTv2 adds its queries to what its weights mix: their part in the weights, `(S, S)`, each video token's own; and
    the mean over the heads, `(B, S, D)`. Zeros in other steps."""
    if not isinstance(step, MultiscaleAttention):
        return torch.zeros(()), torch.zeros(())
    video = torch.arange(grid.num_tokens) >= grid.prefix
    queries = step.norm_q(pooled(step.attn.project(x, grid)[:, :, 0].transpose(1, 2), grid, step.pool_q)).mean(1)
    return torch.diag(video.float()), queries * video[:, None]


@cases
@pytest.mark.parametrize(("grid", "gradients"), [(GRIDS[1], True), (GRIDS[2], False)], ids=["mean", "registers"])
def test_weights_times_values_are_the_output(case, grid, gradients):
    """With and without gradients other kernels run."""
    step = build(case)
    value = every_head_hands_on_the_same(step)
    x = torch.randn(2, grid.num_tokens, DIM)
    with torch.set_grad_enabled(gradients):
        output, weights = step(x, grid), spread(step, x, grid)
    beside, queries = queries_beside(step, x, grid)
    mixed = (weights - beside) @ (x @ value.T) + queries
    torch.testing.assert_close(output[..., :D], mixed, rtol=1e-4, atol=1e-4)
    assert (weights >= 0).all()
    prefix = {"joint": 1, "space": 1, "height": 1, "global": 1, "linear": 1, "space|time": 0.5}  # half of the heads
    prefix |= dict.fromkeys(("time", "width", "local", "temporal"), 0)  # no update at all
    expected = torch.ones(2, grid.num_tokens)
    expected[:, : grid.prefix] = prefix.get(case.spec, 1)
    expected += beside.sum(-1)
    if case.spec.startswith("swin3d"):  # a window beyond the clip's end holds zeros, which take a share of the rest
        assert (weights.sum(-1) <= expected + 1e-5).all()
    else:
        torch.testing.assert_close(weights.sum(-1), expected)


@cases
def test_other_tokens_give_other_weights(case):
    step, grid = build(case), Grid(2, 2, 3)
    one, other = (spread(step, torch.randn(1, grid.num_tokens, DIM), grid) for _ in range(2))
    assert (one - other).abs().max() > 1e-3  # small where queries and keys are normed


@pytest.mark.parametrize("spec", IMAGE_STEPS)
def test_an_image_block_is_measured_in_its_frame(spec):
    (scheme,) = parse_scheme(spec).steps
    torch.manual_seed(0)
    step, grid = scheme.build(48, 4).eval(), Grid(2, 4, 4)
    for parameter in step.parameters():
        nn.init.normal_(parameter, std=0.3)  # some blocks start as zero
    weights = spread(step, torch.randn(1, grid.num_tokens, 48), grid)[0]
    frame = torch.tensor([-1] * grid.prefix + [token[0] for token in tokens(grid) if token])
    assert not weights[frame[:, None] != frame].any()
    assert not weights[: grid.prefix].any()
    torch.testing.assert_close(weights.sum(-1)[grid.prefix :], torch.ones(grid.num_video_tokens))


class Strangers(VideoAttention):
    """A user's own: attention along time by PyTorch's module, which hands nothing over that a recording could see."""

    def __init__(self, dim, num_heads=None):
        super().__init__()
        self.attn = nn.MultiheadAttention(dim, num_heads or 1, batch_first=True)

    def forward(self, x, grid):
        prefix, video = grid.split(x)
        rows = video.flatten(2, 3).transpose(1, 2).flatten(0, 1)
        mixed = self.attn(rows, rows, rows, need_weights=False)[0]
        mixed = mixed.unflatten(0, (len(x), -1)).transpose(1, 2).reshape(video.shape)
        return grid.join(torch.zeros_like(prefix), mixed)

    def macs(self, grid):
        raise NotImplementedError


class Gated(VideoAttention):
    """A user's own: softmax weights, but a gate beside them through which each token meets its row."""

    def __init__(self, dim, num_heads=None):
        super().__init__()
        self.attn = SelfAttention(dim, num_heads)

    def forward(self, x, grid):
        prefix, video = grid.split(x)
        mixed = self.attn.across(video.flatten(2, 3)).view(video.shape)
        return grid.join(torch.zeros_like(prefix), mixed * video.mean(3, keepdim=True).sigmoid())

    def macs(self, grid):
        raise NotImplementedError


class Masked(VideoAttention):
    """A user's own: the fused kernel with all that can be asked of it."""

    options = ({"scale": 0.5, "is_causal": True, "dropout_p": 0.0}, {"attn_mask": torch.ones(25, 25).bool().triu()})

    def __init__(self, dim, num_heads=None):
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim)

    def forward(self, x, grid):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return sum(F.scaled_dot_product_attention(q, k, v, **options) for options in self.options)

    def macs(self, grid):
        raise NotImplementedError


def test_recording_changes_no_output():
    step, x, grid = Masked(DIM), torch.randn(2, 25, DIM), Grid(3, 2, 4)
    with Recording([step], memory_limit=float("inf")) as recording:
        output = step(x, grid)
    torch.testing.assert_close(output, step(x, grid))
    assert len(recording.visits[step].weights) == 2


@pytest.mark.parametrize("cls", [Strangers, Gated, Masked])
def test_a_step_of_another_make_reaches_what_it_reaches(cls):
    grid = Grid(3, 2, 4)
    torch.manual_seed(0)
    step = cls(DIM, HEADS)
    weights = spread(step, torch.randn(1, grid.num_tokens, DIM), grid)[0]
    x = torch.randn(1, grid.num_tokens, DIM)
    nudged = x.clone()
    nudged[0, 9] += 1
    moved = (step(nudged, grid) - step(x, grid))[0].abs().amax(-1) > 1e-5
    assert torch.equal(weights[:, 9] > 0, moved)
