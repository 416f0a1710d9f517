"""`vidattn prepare`: a dataset written again so that training reads it fast."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from vidattn.commands.options import call
from vidattn.console import plain_console
from vidattn.data.prepare import prepare as library
from vidattn.data.prepare.transcode import Transcoding
from vidattn.wording import counted
from vidattn.writable import writing


def prepare(words: list[str]) -> None:
    """`vidattn prepare`, with the words behind it. Leaves with status 1 where some video could not be prepared."""
    try:
        call(run, words, "prepare", positional=True)
    except KeyboardInterrupt:
        print("vidattn prepare: interrupted; give the same command again to go on", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def run(
    data: str,
    out: str = "prepared",
    root: str | None = None,
    short_side: int = 256,
    keyframe_every: int = 8,
    crf: int = 23,
    preset: str = "medium",
    shards: int = 0,
    shard_mb: float = 0,
    workers: int = os.cpu_count() or 1,
    folder_fps: float = 30.0,
) -> None:
    """Transcode every video of a list to a small H.264 file that is fast to read anywhere, and write the new list.

    A run that was broken off goes on where it stopped: give the same command again. Each list needs its own `out`.

    Args:
        data: list, folder or file of videos that training reads, too.
        out: folder for `videos/`, `manifest.csv`, `classes.txt`, `prepare.json`, and `shards/` if asked.
        root: folder that the list's paths start from; the list's own folder by default.
        short_side: pixels; smaller videos keep their size. 256 is what SlowFast's recipes train from; 320 keeps
            the sharpness of a jitter up to 320, and costs 1.6 times the decoding.
        keyframe_every: frames from one keyframe to the next.
        crf: x264's quality, lower is better and larger.
        preset: x264's speed, from ultrafast to veryslow.
        shards: how many tar shards to write as well; 0 writes none.
        shard_mb: or how many megabytes each holds at least.
        workers: processes; 0 for none.
        folder_fps: frames per second of videos that are folders of pictures.
    """
    console = plain_console()
    transcoding = Transcoding(short_side, keyframe_every, crf, preset)
    folder = Path(out)
    with writing(folder):
        report, manifest = library.prepare(
            data, folder, transcoding, console.print, root, shards, shard_mb, workers, folder_fps
        )
    _print_report(console, folder, report, has_classes=bool(manifest.class_names))
    if report["failed"]:
        sys.exit(1)


def _print_report(console: Console, folder: Path, report: dict[str, Any], has_classes: bool) -> None:
    rows = Table("", "before", "after", "gain", title_justify="left")
    if "bytes_before" in report:
        small = report["bytes_before"], report["bytes_after"]
        gain = small[0] / small[1]
        words = f"{gain:.2f}x smaller" if gain >= 1 else f"{1 / gain:.2f}x larger"
        rows.add_row("size (MB)", *(f"{size / 1e6:.1f}" for size in small), words)
    if "clips_per_second_before" in report:
        fast = report["clips_per_second_before"], report["clips_per_second_after"]
        name = "clips per second and core (8x32)"
        rows.add_row(name, *(f"{rate:.1f}" for rate in fast), f"{fast[1] / fast[0]:.2f}x faster")
    if rows.row_count:
        console.print(rows)
    # Without the names, a class that has lost all its videos would shift the numbers of those behind it.
    classes = f" --data.class_names {folder / 'classes.txt'}" if has_classes else ""
    console.print(f"{counted(report['videos'], 'video')}: --data.train {folder / 'manifest.csv'}{classes}")
    if "shards" in report:
        console.print(f"{counted(report['shards'], 'shard')}: --data.train {folder / 'shards' / 'shards.json'}")
    if report["failed"]:
        console.print(f"{len(report['failed'])} failed, listed in {folder / 'prepare.json'}:", style="bold")
        for path, reason in list(report["failed"].items())[:10]:
            console.print(f"  {path}: {reason}")
