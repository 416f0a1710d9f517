"""What is odd about the lists of a run, said once before it costs hours: empty classes, videos listed twice."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence

from vidattn.data.lists.class_names import numbers_alone, sound
from vidattn.data.videos.manifest import Manifest, Video
from vidattn.wording import counted, printable

_SHOWN = 5


def remarks(split: str, manifest: Manifest, train: Manifest | None = None) -> Iterator[str]:
    """A sentence for each oddity of the list of a split.

    Args:
        split: "train", "val" or "test".
        train: the training list, where this is another one.
    """
    if split == "train":
        if unused := unused_classes(manifest):
            yield f"data.train: {unused}"
        if alike := _alike(manifest.class_names):
            yield f"data.train: classes {alike[0]!r} and {alike[1]!r} differ in little; are they one?"
        if one := never_several(manifest):
            yield f"data.train: {one}"
    yield from _repeated(split, manifest)
    if train is not None:
        yield from _shared(split, manifest, train)


def unused_classes(manifest: Manifest) -> str:
    """Which classes no row of the list has; empty where each has one.

    >>> unused_classes(Manifest([Video("a.mp4", 1), Video("b.mp4", 2)], ["0", "1", "2"], "t.csv", numbered=True))
    'no video has label 0: do your labels begin with 1? They count from 0'
    """
    used = {label for video in manifest.videos for label in (video.label, *video.labels)}
    listed = set(manifest.missing)
    unused = [name for label, name in enumerate(manifest.class_names) if label not in used and name not in listed]
    if not manifest.labelled or not unused:
        return ""
    if numbers_alone(manifest.class_names):
        if unused == ["0"]:
            return "no video has label 0: do your labels begin with 1? They count from 0"
        begin = "; do your labels begin with 1? They count from 0" if "0" in unused else ""
        return f"no video has {'label' if len(unused) == 1 else 'labels'} {_some(unused)}{begin}"
    of = f"{len(unused)} of {counted(len(manifest.class_names), 'class', 'classes')}"
    return f"{of} {'has' if len(unused) == 1 else 'have'} no video ({_some(unused)})"


def never_several(manifest: Manifest) -> str:
    """That no video of a multi-label list has several labels; empty where one has, or the list has one a video."""
    if not manifest.multi_label or not manifest.labelled or any(len(video.labels) > 1 for video in manifest.videos):
        return ""
    label = next(manifest.class_names[video.labels[0]] for video in manifest.videos if video.labels)
    return f"no video has several labels ({printable(label)!r} is one); several stand as cat;dog or 1;3"


def _alike(names: Sequence[str]) -> tuple[str, str] | None:
    """Two names that differ in their case, spaces or signs alone."""
    first: dict[str, str] = {}
    for name in names:
        if len(sound(name)) > 1 and first.setdefault(sound(name), name) != name:  # letters come in both cases
            return first[sound(name)], name
    return None


def _key(video: Video) -> tuple[object, ...]:
    """What is the same in all lists, whatever the label: the file, and the part of it."""
    path = video.path if "://" in video.path else os.path.normpath(video.path)
    return (path, video.segment)


def _labels(video: Video) -> tuple[int | None, ...]:
    return (video.label, *sorted(video.labels))


def _repeated(split: str, manifest: Manifest) -> Iterator[str]:
    rows: dict[tuple[object, ...], list[tuple[int | None, ...]]] = defaultdict(list)
    for video in manifest.videos:
        rows[_key(video)].append(_labels(video))
    twice = [str(key[0]) for key, labels in rows.items() if len(labels) > 1]
    if twice:
        several = sum(len(set(labels)) > 1 for labels in rows.values())
        other = f", {several} of them with different labels" if several else ""
        yield f"data.{split}: {_videos(twice, 'stands', 'stand')} there more than once{other}: {_some(twice, 1)}"


def _shared(split: str, manifest: Manifest, train: Manifest) -> Iterator[str]:
    keys = {_key(video) for video in manifest.videos}  # of the smaller list, mostly
    both = list(dict.fromkeys(str(key[0]) for key in map(_key, train.videos) if key in keys))
    if both:
        yield f"data.{split}: {_videos(both, 'is', 'are')} in data.train as well: {_some(both, 1)}"


def _videos(paths: Sequence[str], one: str, several: str) -> str:
    return f"{counted(len(paths), 'video')} {one if len(paths) == 1 else several}"


def _some(names: Sequence[str], most: int = _SHOWN) -> str:
    return printable(", ".join(names[:most])) + (" ..." if len(names) > most else "")
