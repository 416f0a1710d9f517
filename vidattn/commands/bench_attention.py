"""`vidattn bench-attention`: fused attention against two products, by length and type."""

import statistics

import torch
from rich.table import Table

from vidattn.bench.model import products_against_fused
from vidattn.bench.timing import ratio
from vidattn.checks import check_positive
from vidattn.commands.options import call
from vidattn.console import plain_console


def bench_attention(words: list[str]) -> None:
    """`vidattn bench-attention`, with the words behind it."""
    call(run, words, "bench-attention")


def run(
    lengths: list[int] = [8, 32, 50, 197, 785, 1569],  # noqa: B006
    rows: int = 0,
    num_heads: int = 12,
    head_dim: int = 64,
    rounds: int = 9,
    threads: int | None = None,
) -> None:
    """Time fused attention against two batched products and a softmax: what `attend` decides by.

    Args:
        lengths: tokens n of a row.
        rows: rows at once; 0 takes as many as make about 1600 tokens, as in a clip of 8x224, or on a GPU in 16 clips.
        num_heads: heads.
        head_dim: width of a head.
        rounds: interleaved runs of each; the table gives medians.
        threads: CPU threads; all by default.

    Raises:
        ValueError: a number is below 1.
    """
    check_positive(lengths=min(lengths, default=0), num_heads=num_heads, head_dim=head_dim, rounds=rounds)
    if threads:
        torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokens = 16 * 1600 if device == "cuda" else 1600
    table = Table("n", "rows", "type", "gradients", "two products ms", "fused ms", "fused is", title_justify="left")
    table.title = f"attention kernels on {device}"
    for n in lengths:
        count = rows or max(1, tokens // n)
        for dtype in (torch.float32, torch.bfloat16):
            for training in (False, True):
                seconds = products_against_fused(n, count, num_heads, head_dim, dtype, training, rounds)
                cells = [f"{1e3 * statistics.median(seconds[name]):.2f}" for name in ("two", "fused")]
                gain = f"{ratio(seconds['two'], seconds['fused']):.2f}x"
                table.add_row(str(n), str(count), str(dtype)[6:], "yes" if training else "no", *cells, gain)
    plain_console().print(table)
