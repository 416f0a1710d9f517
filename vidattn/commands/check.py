"""`vidattn check`: probe every video of a dataset, show what is wrong, and write what can be used."""

import math
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from vidattn.commands.options import Parser
from vidattn.console import plain_console
from vidattn.data.boxes.section import Boxes
from vidattn.data.check.findings import Findings
from vidattn.data.check.probe import MISSING_PICTURES, UNCLEAR_PICTURES
from vidattn.data.check.whole_dataset import CLASSES, QUARANTINE, look_at, read_splits, write_findings
from vidattn.data.videos.members import Member
from vidattn.mistakes import Mistake
from vidattn.wording import counted
from vidattn.writable import check_place, writing

ADVICE = {
    "missing": "download it, or use the cleaned list",
    "zero bytes": "download it again",
    "audio only": "download it with its video",
    "unreadable": "download it again, or drop it",
    "too slow": "re-encode it, or raise --timeout",
    "truncated": "download it again; where the rest decodes it is used",
    "damaged": "download it again; what FFmpeg makes of it is used",
    UNCLEAR_PICTURES: "quarantine.csv says why (two sets, two sizes, a damaged one); keep one set, or extract it again",
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
    parser.add_argument(
        "--boxes", nargs="+", default=[], help="lists of boxes, for data.boxes: what is wrong with them, and a picture"
    )
    parser.add_argument(
        "--label-map", metavar="PBTXT", help="of AVA's boxes: names and numbers of the classes that count"
    )
    parser.add_argument("--excluded", metavar="CSV", help="of AVA's boxes: the seconds that do not count")
    parser.add_argument(
        "--starts-at",
        type=float,
        default=0.0,
        metavar="SECOND",
        help="of AVA's boxes: their second at which the files begin, 900 for films that are cut to the annotated part",
    )
    parser.add_argument("--out", default="checked", help="folder for the files (default checked)")
    parser.add_argument("--min-frames", type=int, default=8, help="a video with fewer is too short (default 8)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes; 0 for none")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for one video (default 120)")
    options = parser.parse_args(words)
    if not options.boxes and (options.label_map or options.excluded or options.starts_at):
        raise Mistake("--label-map, --excluded and --starts-at are about AVA's boxes; add --boxes with their list")
    try:
        check_place(Path(options.out), folder=True)
        manifests = read_splits(options.data, options.root, options.class_names)
        with writing(Path(options.out)):
            result = look_at(manifests, options.min_frames, options.workers, options.timeout, Path(options.out))
            write_findings(result, Path(options.out))
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
    if options.boxes:
        from vidattn.commands.check_boxes import check_boxes  # draws: matplotlib takes a while to start

        section = Boxes(
            options.boxes, label_map=options.label_map, excluded=options.excluded, starts_at=options.starts_at
        )
        with writing(Path(options.out)):
            check_boxes(section, options.root, options.class_names, result, Path(options.out))
    if listed and classes.exists() and not options.boxes:  # a class that has lost its videos keeps its number with it
        console.print(f"train from the lists in clean/ with --data.class_names {classes}")


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


def _short(path: str, folder: str) -> str:
    """A file from the folder that all are in; a video in a shard by its name there."""
    member = Member.parse(path)
    return os.path.relpath(path, folder) if member is None else f"{os.path.basename(member.shard)}: {member.name}"


def _shown(names: Sequence[str], most: int = 2) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
