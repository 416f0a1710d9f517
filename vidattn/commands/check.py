"""`vidattn check`: probe every video of a dataset, show what is wrong, and write what can be used."""

import json
import math
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from vidattn.commands.options import Parser
from vidattn.console import plain_console
from vidattn.data.check.findings import Findings, findings
from vidattn.data.check.journal import Journal
from vidattn.data.check.probe import MISSING_PICTURES
from vidattn.data.check.survey import survey
from vidattn.data.lists.class_files import write_class_file
from vidattn.data.readers.frame_index import IndexEntry, write_index
from vidattn.data.readers.quarantine import Quarantine
from vidattn.data.videos.manifest import Manifest, read_class_names, read_manifest, write_manifest
from vidattn.data.videos.members import Member
from vidattn.data.videos.shards import is_shards, read_shards
from vidattn.wording import counted

JOURNAL = "journal.jsonl"
"""In the folder of results: what was found, file by file. Delete it to look at everything again."""

QUARANTINE = "quarantine.csv"
"""In the folder of results: what cannot be used, and what trainings have added."""

CLASSES = "clean/classes.txt"
"""In the folder of results: the names of all classes, also of those whose videos cannot be used."""

ADVICE = {
    "missing": "download it, or use the cleaned list",
    "zero bytes": "download it again",
    "audio only": "download it with its video",
    "unreadable": "download it again, or drop it",
    "too slow": "re-encode it, or raise --timeout",
    "truncated": "download it again; where the rest decodes it is used",
    "damaged": "download it again; what FFmpeg makes of it is used",
    MISSING_PICTURES: "extract it again; those that are there are used as if they stood in a row",
    "too short": "its last frame repeats; drop it if that hurts",
    "variable rate": "sample by time (SecondsSampling); by frame motion is uneven",
    "Git LFS pointer": "fetch the videos themselves: git lfs pull",
    "web page": "open it in a browser to see what the server said; download it again",
    "XML text": "a server's refusal, most often: look into it; download it again",
    "JSON text": "a server's refusal, most often: look into it; download it again",
    **dict.fromkeys(("zip archive", "gzip archive", "7z archive", "rar archive"), "unpack it"),
    "pixels not square": "nothing: pictures are read as they are stored, not stretched, by every reader",
    "rotated": "nothing: our readers turn it upright",
    "unsafe to seek": "give data.index: it is then decoded from its start, slowly; vidattn prepare mends that",
}


def check(words: list[str]) -> None:
    """`vidattn check`, with the words behind it."""
    parser = Parser(
        prog="vidattn check",
        description="Go through every video of a dataset: what cannot be decoded, what is odd, what leaks between "
        "splits. Writes report.json, clean/<name>.csv (what can be used), quarantine.csv (what cannot, for "
        "data.quarantine) and index.json (for data.index: training then opens files faster). A check that was broken "
        "off goes on where it was, and the next one looks at files that are new or have changed.",
        epilog="example: vidattn check train.csv val.csv test.csv --root videos --out checked",
    )
    parser.add_argument(
        "data", nargs="+", help="lists, folders, files or shards of videos, one for each split, training first"
    )
    parser.add_argument("--root", help="folder that the lists' paths start from; each list's own folder by default")
    parser.add_argument("--class-names", help="file of class names; those of the first list by default")
    parser.add_argument("--out", default="checked", help="folder for the files (default checked)")
    parser.add_argument("--min-frames", type=int, default=8, help="a video with fewer is too short (default 8)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes; 0 for none")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for one video (default 120)")
    options = parser.parse_args(words)
    try:
        manifests = read_splits(options.data, options.root, options.class_names)
        result = look_at(manifests, options.min_frames, options.workers, options.timeout, Path(options.out))
        write(result, Path(options.out))
    except KeyboardInterrupt:
        print("vidattn check: interrupted; give the same command again to go on", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    show(result)
    console = plain_console()
    classes = Path(options.out) / CLASSES
    listed = any((classes.parent / f"{split}.csv").exists() for split in manifests)
    files = ["report.json", "index.json (for data.index)"]
    files += ["clean/ (lists of what can be used)"] if listed else []
    if (Path(options.out) / QUARANTINE).exists():
        files.append("quarantine.csv (of what cannot, for data.quarantine)")
    console.print(f"{', '.join(files[:-1])} and {files[-1]} are in {options.out}")
    if listed and classes.exists():  # a class that has lost its videos keeps its number with it
        console.print(f"train from the lists in clean/ with --data.class_names {classes}")


def read_splits(sources: Sequence[str], root: str | None, class_names: str | None) -> dict[str, Manifest]:
    """The lists by their names, all with the classes of the first; two of one name are numbered."""
    manifests: dict[str, Manifest] = {}
    names: Sequence[str] | None = read_class_names(class_names) if class_names else None
    for source in sources:
        given = class_names or names
        manifest = read_shards(source, names) if is_shards(source) else read_manifest(source, root, given)
        names = names or manifest.class_names or None
        name = Path(source).stem or "videos"
        manifests[name if name not in manifests else f"{name}_{len(manifests)}"] = manifest
    return manifests


def look_at(manifests: dict[str, Manifest], min_frames: int, num_workers: int, timeout: float, out: Path) -> Findings:
    """Probe all videos of all splits, each file once, with a bar; those that `out/journal.jsonl` knows are not probed
    again."""
    videos = list({video.path: video for manifest in manifests.values() for video in manifest.videos}.values())
    journal = Journal(out / JOURNAL, min_frames)
    found_before = {video.path: journal.find(video.path) for video in videos}
    probes = [probe for probe in found_before.values() if probe is not None]
    left = [video for video in videos if found_before[video.path] is None]
    columns = (
        TextColumn("checking"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[bad]}"),
    )
    looked_at = survey(left, min_frames, min(num_workers, len(left)), timeout)
    with Progress(*columns, console=Console(stderr=True)) as progress, closing(looked_at):
        if probes:
            verb = "has" if len(probes) == 1 else "have"
            total = counted(len(videos), "video")
            progress.console.print(f"{len(probes)} of {total} {verb} not changed since the last check")
        bad, good = 0, []  # of those that are looked at now: those that are known are usable
        task = progress.add_task("", total=len(videos), completed=len(probes), bad="")
        try:
            for found in looked_at:
                good += [found.path] if found.usable else []
                journal.add(found)
                probes.append(found)
                bad += not found.usable
                progress.update(task, advance=1, bad=f"{bad} unusable" if bad else "")
        finally:  # also when interrupted: the journal has them, and the next check does not look at them again
            journal.close()
            Quarantine(out / QUARANTINE).drop(good)
    return findings(manifests, probes)


def show(result: Findings) -> None:
    """The table of problems, and what the splits look like together."""
    console = plain_console()
    total, usable = len(result.probes), sum(found.usable for found in result.probes.values())
    files = [os.path.dirname(os.path.abspath(path)) for path in result.probes if Member.parse(path) is None]
    folder = os.path.commonpath(files) if files else ""
    caption = f"in {folder}" if folder else None
    table = Table(title=f"{usable} of {counted(total, 'video')} can be used", title_justify="left", caption=caption)
    for column in ("problem", "videos", "unusable", "for example", "what to do"):
        table.add_column(column, overflow="fold")

    def row(problem: str, groups: Sequence[Sequence[str]], advice: str, bad: int = 0) -> None:
        names = [" = ".join(_short(path, folder) for path in group) for group in groups]
        table.add_row(problem, str(len(names)), str(bad or ""), _shown(names), advice, style="red" if bad else "")

    for problem, paths in result.problems.items():
        unusable = sum(not result.probes[path].usable for path in paths)
        if problem == MISSING_PICTURES:
            names = [f"{_short(path, folder)} ({result.probes[path].reason})" for path in paths]
            table.add_row(problem, str(len(paths)), str(unusable or ""), _shown(names), ADVICE[problem])
        else:
            row(problem, [[path] for path in paths], ADVICE[problem], unusable)
    if result.leaks:
        row("same in several splits", result.leaks, "remove it from training (the cleaned list keeps it)")
    if result.repeats:
        row("same within a split", result.repeats, "keep one of them")
    for split, paths in result.listed_twice.items():
        row(f"listed twice in {split}", [[path] for path in paths], "keep one row (the cleaned list keeps all)")
    for split, paths in result.contradictions.items():
        row(
            f"rows with other labels in {split}",
            [[path] for path in paths],
            "keep the right one (the cleaned list keeps all)",
        )
    for split, names in result.empty_classes.items():
        table.add_row(
            f"classes without videos in {split}",
            str(len(names)),
            "",
            _shown(names),
            "they are not learnt or not tested",
        )
    if table.row_count:
        console.print(table)
    else:
        console.print(
            "The video can be used, and nothing is odd about it"
            if total == 1
            else f"All {total} videos can be used, and nothing is odd about them"
        )
    speed = result.clips_per_second
    if speed:
        console.print(
            f"One core decodes {speed:.1f} clips a second (8 frames at stride 4): a model that trains on 100 clips a "
            f"second needs {counted(math.ceil(100 / speed), 'worker')}"
        )


def write(result: Findings, folder: Path) -> None:
    """`report.json`, `index.json`, `quarantine.csv` and `clean/<split>.csv`."""
    (folder / "clean").mkdir(parents=True, exist_ok=True)
    report = {
        "videos": len(result.probes),
        "usable": sum(found.usable for found in result.probes.values()),
        "clips_per_second_and_core": result.clips_per_second,
        "problems": result.problems,
        "same_in_several_splits": result.leaks,
        "same_within_a_split": result.repeats,
        "listed_twice": result.listed_twice,
        "rows_with_other_labels": result.contradictions,
        "classes_without_videos": result.empty_classes,
        "files": [
            {field.name: getattr(found, field.name) for field in fields(found) if field.name not in ("known", "file")}
            for _, found in sorted(result.probes.items())
        ],
    }
    indexed = {
        path: IndexEntry(
            found.num_frames, found.fps, found.width, found.height, found.keyframes, found.known, found.file
        )
        for path, found in result.probes.items()
        if found.usable and found.file is not None and Member.parse(path) is None
    }
    write_index(folder / "index.json", indexed)
    # Added to, not written anew: trainings may have added to it what they could not decode.
    unusable = [found for found in result.probes.values() if not found.usable and found.problems != ["missing"]]
    Quarantine(folder / QUARANTINE).add({found.path: found.reason for found in unusable})
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    for split, manifest in result.manifests.items():
        videos = result.clean(split)
        cleaned = folder / "clean" / f"{split}.csv"
        if not videos:
            if Path(manifest.source).resolve() != cleaned.resolve():
                cleaned.unlink(missing_ok=True)  # an earlier check's, of what can be used no more
        elif not any(Member.parse(video.path) for video in videos):  # shards are not listed anew
            write_manifest(cleaned, replace(manifest, videos=videos))
            if manifest.class_names:
                write_class_file(folder / CLASSES, manifest.class_names)


def _short(path: str, folder: str) -> str:
    """A file from the folder that all are in; a video in a shard by its name there."""
    member = Member.parse(path)
    return os.path.relpath(path, folder) if member is None else f"{os.path.basename(member.shard)}: {member.name}"


def _shown(names: Sequence[str], most: int = 2) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
