"""What the probes of all splits say together: problems by kind, leaks between splits, empty classes, speed."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from vidattn.data.check.probe import MISSING_PICTURES, Probe
from vidattn.data.videos.manifest import Manifest, Video


@dataclass(frozen=True)
class Findings:
    """The result of `vidattn check`.

    Args:
        manifests: by the name of their split.
        probes: by path; what does not exist has one too.
        leaks: groups of files with the same content that stand in several splits.
        repeats: groups of files with the same content within one split.
        empty_classes: by split, the classes without a usable video.
        listed_twice: by split, what stands in several rows with the same labels; segments of one file do not.
        contradictions: by split, what stands in several rows with other labels.
    """

    manifests: Mapping[str, Manifest]
    probes: Mapping[str, Probe]
    leaks: list[list[str]] = field(default_factory=list)
    repeats: list[list[str]] = field(default_factory=list)
    empty_classes: dict[str, list[str]] = field(default_factory=dict)
    listed_twice: dict[str, list[str]] = field(default_factory=dict)
    contradictions: dict[str, list[str]] = field(default_factory=dict)

    @property
    def problems(self) -> dict[str, list[str]]:
        """The paths that have a problem, by problem, the most frequent first."""
        by_kind: dict[str, list[str]] = defaultdict(list)
        for path, found in sorted(self.probes.items()):
            for problem in found.problems:
                by_kind[problem].append(path)
        return dict(sorted(by_kind.items(), key=lambda item: -len(item[1])))

    @property
    def clips_per_second(self) -> float:
        """Clips of 8 frames at stride 4 that one core decodes in a second; 0 where no video is usable."""
        seconds = [found.clip_seconds for found in self.probes.values() if found.clip_seconds > 0]
        return 1 / median(seconds) if seconds else 0.0

    def clean(self, split: str) -> list[Video]:
        """The videos of a split that can be used."""
        return [video for video in self.manifests[split].videos if self.probes[video.path].usable]


def findings(manifests: Mapping[str, Manifest], probes: Sequence[Probe]) -> Findings:
    """Look at the splits side by side.

    Args:
        manifests: by the name of their split.
        probes: of all their videos; those for missing files are added here.
    """
    by_path = {found.path: found for found in probes}
    for manifest in manifests.values():
        for path in manifest.missing_paths:
            by_path[path] = Probe(path, ["missing"], usable=False, reason="the list names it, but it does not exist")
        for video in manifest.videos:
            by_path[video.path] = _beside_the_list(by_path[video.path], video)
    result = Findings(manifests, by_path)

    splits_of: dict[str, set[str]] = defaultdict(set)
    for split, manifest in manifests.items():
        for video in manifest.videos:
            splits_of[video.path].add(split)
    same_content: dict[str, list[str]] = defaultdict(list)
    for found in sorted(probes, key=lambda found: found.path):
        if found.digest:
            same_content[found.digest].append(found.path)
    for paths in same_content.values():
        splits = Counter(split for path in paths for split in splits_of[path])
        if len(splits) > 1:
            result.leaks.append(paths)
        elif len(paths) > 1:
            result.repeats.append(paths)

    for split, manifest in manifests.items():
        rows: dict[Video, Counter[tuple[int | None, ...]]] = defaultdict(Counter)
        for video in manifest.videos:
            rows[replace(video, label=None, labels=())][video.label, *sorted(video.labels)] += 1
        listed_twice = {video.path for video, labels in rows.items() if max(labels.values()) > 1}
        contradictions = {video.path for video, labels in rows.items() if len(labels) > 1}
        if listed_twice:
            result.listed_twice[split] = sorted(listed_twice)
        if contradictions:
            result.contradictions[split] = sorted(contradictions)

        used = {label for video in result.clean(split) for label in (video.label, *video.labels)}
        labelled = any(video.label is not None or video.labels for video in manifest.videos)
        empty = [name for label, name in enumerate(manifest.class_names) if label not in used]
        if labelled and empty:
            result.empty_classes[split] = empty
    return result


def _beside_the_list(found: Probe, video: Video) -> Probe:
    """Adds a problem to a folder that has fewer pictures than the list says. (For files, lists count in other ways.)"""
    end = video.end_frame or 0
    if video.folder_fps is None or not found.usable or end <= found.num_frames or MISSING_PICTURES in found.problems:
        return found
    reason = f"the list says {end} pictures, there are {found.num_frames}"
    return replace(found, problems=[*found.problems, MISSING_PICTURES], reason=reason)
