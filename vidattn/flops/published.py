"""Others' figures, from our counts: what they are the numbers of, and how their authors counted."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vidattn.flops.counting import Count, count
from vidattn.grid import Grid
from vidattn.models.presets import VIT, preset

NORM = 5  # what fvcore adds for each number that a LayerNorm gets
TIMESFORMER = "TimeSformer paper, 2102.05095"
MOTIONFORMER = "Motionformer paper, 2106.05392"
VIVIT = "ViViT paper, 2103.15691"


@dataclass(frozen=True)
class Figure:
    """A published figure beside ours.

    Attributes:
        source: who published it, and where.
        what: of which network it is.
        published: the figure as printed, with its decimals.
        unit: what it is called there.
        computed: the figure from our counts, in that unit.
        how: how it was counted.
    """

    source: str
    what: str
    published: str
    unit: str
    computed: float
    how: str

    @property
    def rounded(self) -> str:
        """Our figure with as many decimals as the published one."""
        return f"{self.computed:,.{len(self.published.partition('.')[2])}f}"

    @property
    def reproduced(self) -> bool:
        """Whether ours, rounded to as many digits, equals the published figure."""
        return self.rounded == self.published


def figures() -> Iterator[Figure]:
    """All figures that we can explain, and those that remain unexplained."""
    yield from timesformer_flops()
    yield from timesformer_parameters()
    yield from mmaction2()
    yield from fvcore()
    yield from motionformer()
    yield from vivit()


def timesformer_flops() -> Iterator[Figure]:
    """The paper's table 5."""
    for name, published in (("timesformer", "0.59"), ("timesformer-hr", "5.11"), ("timesformer-l", "7.14")):
        cost = _count(name)
        with_norms = 3 * (cost.macs + _official_norms(cost)) / 1e12
        how = "MACs of 3 views (1 clip x 3 crops), without LayerNorm; the FLOPs are twice as many"
        if f"{with_norms:.2f}" != published:
            how += f"; with fvcore's LayerNorm it would say {with_norms:.2f}"
        yield Figure(f"{TIMESFORMER}, table 5", f"{name}, 1x3 views", published, "TFLOPs", 3 * cost.macs / 1e12, how)


def timesformer_parameters() -> Iterator[Figure]:
    """The paper's table 1."""
    table = {"space": "85.9", "joint": "85.9", "divided": "121.4", "local+global": "121.4", "axial": "156.8"}
    how = "with the 174 classes of Something-Something; with those of Kinetics-400 {:.1f}"
    for attention, published in table.items():
        small, large = (_count("B", attention=attention, num_classes=classes).parameters for classes in (174, 400))
        yield Figure(
            f"{TIMESFORMER}, table 1", attention, published, "M parameters", small / 1e6, how.format(large / 1e6)
        )


def mmaction2() -> Iterator[Figure]:
    """The tables of mmaction2's TimeSformer page; it counts with fvcore."""
    table = {"divided": ("196", "122"), "joint": ("180", "86.11"), "space": ("141", "86.11")}
    for attention, (flops, parameters) in table.items():
        cost = _count("timesformer", attention=attention)
        total = cost.macs + _official_norms(cost)
        how = "MACs of one view, and 5 for each number that a LayerNorm gets"
        yield Figure("mmaction2, TimeSformer", f"{attention}, 8x224", flops, "G FLOPs", total / 1e9, how)
        how = "with the 400 classes of Kinetics"
        yield Figure("mmaction2, TimeSformer", attention, parameters, "M parameters", cost.parameters / 1e6, how)


def fvcore() -> Iterator[Figure]:
    """What fvcore's FlopCountAnalysis says of the official code, run on CPU."""
    for attention, published in (("divided", "196,053,480,192"), ("joint", "179,713,429,248")):
        cost = _count("timesformer", attention=attention)
        extra = _official_norms(cost)
        how = f"{cost.macs:,} MACs and {extra:,} for LayerNorm; softmax, GELU and sums are not counted"
        yield Figure("fvcore on the official code", f"{attention}, 8x224", published, "FLOPs", cost.macs + extra, how)


def motionformer() -> Iterator[Figure]:
    """The paper's table of attention schemes: 16 frames in tubelets of 2, a head with a hidden layer of width D."""
    joint, trajectory = (
        _count("B", attention=attention, num_frames=16, tubelet_size=2) for attention in ("joint", "trajectory")
    )
    dim, depth, grid = VIT["B"].embed_dim, VIT["B"].depth, VIT["B"].grid(8, 224, 224)
    divided = joint.macs - joint.parts.projections - joint.parts.attention + depth * _their_divided(grid, dim)
    how = "MACs, 5 for each number that a LayerNorm gets, and a hidden layer in the head"
    own = f"{how}; its class token sees all in both steps, and there is no temporal_fc"
    rows = [("joint", "180.6", joint.macs, 2, how), ("divided", "185.8", divided, 3, own)]
    rows.append(("trajectory", "369.5", trajectory.macs, 2, how))
    for name, published, macs, norms, text in rows:
        total = macs + dim**2 + NORM * dim * (norms * depth + 1) * grid.num_tokens
        yield Figure(MOTIONFORMER, f"{name}, 16x224", published, "GFLOPs", total / 1e9, text)


def vivit() -> Iterator[Figure]:
    """The paper's table of models; parameters agree, FLOPs do not quite."""
    models = {
        "1, joint": ("joint", "class_token", "455.2"),
        "2, factorised encoder": ("space>time(4)", "class_token", "284.4"),
        "3, factorised self-attention": ("space+temporal", "mean", "372.3"),
        "4, factorised dot-product": ("space|time", "mean", "277.1"),
    }
    for name, (attention, pooling, published) in models.items():
        cost = _count("vivit-b", attention=attention, pooling=pooling)
        more = float(published) * 1e9 / cost.macs - 1
        how = f"MACs of one view fit to {more:.1%}; the rest is unexplained"
        yield Figure(VIVIT, f"model {name}, 32x224", published, "GFLOPs", cost.macs / 1e9, how)


def _count(name: str, **changes: object) -> Count:
    return count(replace(preset(name), **changes), check=False)  # type: ignore[arg-type]


def _official_norms(cost: Count) -> int:
    """What fvcore adds for the LayerNorms of the official TimeSformer."""
    depth, dim = len(cost.blocks), VIT["timesformer"].embed_dim
    grid = VIT["timesformer"].grid(cost.frames, cost.height, cost.width)
    video, stream, copied = grid.num_video_tokens, grid.num_tokens, grid.frames * (grid.locations + 1)
    tokens = {
        "divided": depth * (video + copied + stream) + stream,  # no class token in time, one for each frame in space
        "joint": depth * 2 * stream + stream,
        "space": depth * 2 * copied + grid.locations + 1,  # the mean over frames comes before the last norm
    }
    return NORM * tokens[cost.attention] * dim


def _their_divided(grid: Grid, dim: int) -> int:
    """Motionformer's divided block: in both steps the class token takes part, and every token sees it."""
    stream, video = grid.num_tokens, grid.num_video_tokens
    keys = 2 * stream + video * (grid.frames + 1) + video * (grid.locations + 1)
    return 2 * 4 * stream * dim**2 + 2 * keys * dim
