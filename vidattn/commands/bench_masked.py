"""`vidattn bench-masked`: an encoder on a tenth of a clip against the same on all of it."""

import statistics
from typing import Literal

import torch
from rich.table import Table

from vidattn.bench.masked import masked_against_whole
from vidattn.bench.timing import ratio as ratio_of
from vidattn.checks import check_positive
from vidattn.commands.options import call
from vidattn.console import plain_console
from vidattn.models.presets import preset


def bench_masked(words: list[str]) -> None:
    """`vidattn bench-masked`, with the words behind it."""
    call(run, words, "bench-masked")


def run(
    network: str = "videomae-b",
    attention: str | None = None,
    num_frames: int | None = None,
    image_size: int | None = None,
    ratio: float = 0.9,
    batch_size: int = 1,
    rounds: int = 5,
    precision: Literal["fp32", "bf16"] = "fp32",
    threads: int | None = None,
) -> None:
    """Time a step of pre-training's encoder, forward and backward, on what a tube mask leaves and on the whole clip.

    Args:
        network: a preset; the default is ViT-B/16 with tubelets, 16x224.
        attention: another scheme, such as time+space.
        num_frames: frames T of a clip; the preset's by default.
        image_size: height and width in pixels; likewise.
        ratio: share of places that the mask hides.
        batch_size: clips at once.
        rounds: interleaved runs of each; the table gives medians.
        precision: bf16 runs under autocast, as Lightning's bf16-mixed does.
        threads: CPU threads; all by default.

    Raises:
        ValueError: a number is out of range, or the scheme cannot leave places out.
    """
    check_positive(batch_size=batch_size, rounds=rounds)
    asked = {"attention": attention, "num_frames": num_frames, "image_size": image_size}
    config = preset(network, **{name: value for name, value in asked.items() if value is not None})
    if threads:
        torch.set_num_threads(threads)
    seconds, macs = masked_against_whole(config, ratio, batch_size, rounds, precision == "bf16")
    device = "cuda" if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} thread(s)"
    clip = f"{config.num_frames}x{'x'.join(map(str, sorted(set(config.size))))}"
    table = Table("encoder on", "GMACs a clip, forward", "ms a step", "range", title_justify="left")
    table.title = f"{network}, {config.attention}, {clip}, batch {batch_size}, {precision}, {device}"
    for name, what in (("whole", "the whole clip"), ("masked", f"what is left of it at ratio {ratio:g}")):
        mine = [1e3 * one for one in seconds[name]]
        table.add_row(
            what, f"{macs[name] / 1e9:,.3f}", f"{statistics.median(mine):,.4g}", f"{min(mine):.4g}-{max(mine):.4g}"
        )
    console = plain_console()
    console.print(table)
    share, times = macs["masked"] / macs["whole"], ratio_of(seconds["whole"], seconds["masked"])
    console.print(
        f"on what is left: {share:.1%} of the multiply-accumulates, {1 / times:.1%} of the time (one {times:.1f}th; "
        "median over the rounds)"
    )
