"""`vidattn prepare` on small sets, and what came of it."""

import json
from pathlib import Path
from typing import Any

from vidattn.cli import main
from vidattn.data.readers import open_video
from vidattn.data.videos.manifest import read_manifest


def run(dataset: Path, out: Path, *words: str) -> dict[str, Any]:
    """Six videos prepared by two processes: the report."""
    options = ["--short_side", "48", "--preset", "ultrafast", "--crf", "10", "--workers", "2", *words]
    status: Any = 0
    try:
        main(["prepare", str(dataset / "list.csv"), "--out", str(out), *options])
    except SystemExit as end:
        status = end.code
        if status != 1:
            raise
    report = json.loads((out / "prepare.json").read_text())
    assert status == bool(report["failed"])
    return report


def prepared_frames(data: Path, out: Path) -> list[int]:
    """Prepare, and how many frames each video of the new list has."""
    main(["prepare", str(data), "--out", str(out), "--preset", "ultrafast", "--workers", "0"])
    counts = []
    for video in read_manifest(out / "manifest.csv").videos:
        with open_video(video.path) as opened:
            counts.append(opened.num_frames)
    return counts


def run_without_processes(data: Path, out: Path, *words: str) -> None:
    """`vidattn prepare` in this process alone."""
    main(["prepare", str(data), "--out", str(out), "--preset", "ultrafast", "--workers", "0", *words])
