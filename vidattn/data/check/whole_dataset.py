"""A check of a whole dataset: its lists, a probe of every video, and the files with the result."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidattn.data.check.findings import Findings, findings
from vidattn.data.check.journal import Journal
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
            progress.console.print(f"unchanged since the last check: {len(probes)} of {counted(len(videos), 'video')}")
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


def write_findings(result: Findings, folder: Path) -> None:
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
