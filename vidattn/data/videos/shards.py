"""Videos in tar shards: read from disk or any URL that fsspec opens, and written.

A shard is an uncompressed tar as WebDataset reads it (https://github.com/webdataset/webdataset): for each video
`KEY.mp4`, `KEY.cls` with the number of its class, and `KEY.json`. Beside the shards lies `shards.json`, which tells
where each video's bytes are, so that any video is one request away and nothing else is read. Shards from elsewhere need
no index: their headers are read instead, once for every run.
"""

import io
import itertools
import json
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec

from vidattn.data.lists.row import VIDEO_EXTENSIONS
from vidattn.data.videos.manifest import Manifest, ManifestError, Video, recounted
from vidattn.data.videos.members import Member
from vidattn.mistakes import Mistake

INDEX = "shards.json"


def is_shards(source: str) -> bool:
    """Whether a source is an index of shards, a shard, or a pattern of shards.

    >>> is_shards("s3://bucket/k400/shards.json"), is_shards("train-{0000..0099}.tar"), is_shards("train.csv")
    (True, True, False)
    """
    return source.endswith((f"/{INDEX}", ".tar")) or source == INDEX


def refuse_shards(source: str) -> None:
    """
    Raises:
        ValueError: the source names shards, where only videos themselves are taken.
    """
    if is_shards(source):
        raise Mistake(f"{source} holds shards; give the list or folder of videos that they were written from")


def read_shards(source: str, class_names: Sequence[str] | None = None, multi_label: bool = False) -> Manifest:
    """The videos in shards, shard by shard; the path of each is that of a `Member`.

    Args:
        source: a path or URL of `shards.json`, of a `.tar`, or of many: `gs://bucket/train-*.tar`,
            `train-{0000..0099}.tar`.
        class_names: the names in the order of their labels; those of the index by default, else the numbers.
        multi_label: a video may have several classes, even if none of these has.

    Raises:
        ManifestError: it cannot be read, holds no videos, or a label is unknown.
    """
    source = os.path.expanduser(source)  # as fsspec does, but the paths of members must be the files' own
    try:
        index = _read_index(source) if source.endswith(INDEX) else _scan(source)
    except (OSError, ValueError, KeyError, TypeError, ImportError, tarfile.TarError) as error:
        raise ManifestError(
            f"{source}: cannot read these shards ({type(error).__name__}: {error}); expected {INDEX}, as vidattn "
            "prepare writes it, or uncompressed tar files"
        ) from error
    names, videos = index
    if not videos:
        raise ManifestError(f"{source}: the shards hold no videos; a video ends in {', '.join(VIDEO_EXTENSIONS)}")
    if class_names is not None and names and list(class_names) != names:
        videos = recounted(source, videos, names, class_names)
    labels = [label for video in videos for label in (*video.labels, *([] if video.label is None else [video.label]))]
    known = list(class_names or names or map(str, range(max(labels, default=-1) + 1)))
    if labels and max(labels) >= len(known):
        raise ManifestError(f"{source}: label {max(labels)} is beyond the {len(known)} known classes")
    if multi_label := multi_label or any(video.labels for video in videos):
        videos = [_with_labels(video) for video in videos]
    return Manifest(videos, known, source, multi_label=multi_label)


def by_count(videos: Sequence[Video], count: int) -> list[Sequence[Video]]:
    """`count` shards of about as many bytes, the videos in their order; one for each video where there are fewer."""
    sizes = [os.path.getsize(video.path) for video in videos]
    shards = []
    start, left = 0, sum(sizes)
    for behind in reversed(range(min(count, len(videos)))):  # shards that need a video each
        end, size = start + 1, sizes[start]
        while end < len(videos) - behind and size + sizes[end] / 2 <= left / (behind + 1):
            size += sizes[end]
            end += 1
        shards.append(videos[start:end])
        start, left = end, left - size
    return shards


def by_bytes(videos: Sequence[Video], least: float) -> list[Sequence[Video]]:
    """Shards of `least` bytes or a little more, the videos in their order; the last holds the rest."""
    shards: list[list[Video]] = []
    size = least
    for video in videos:
        if size >= least:
            shards.append([])
            size = 0
        shards[-1].append(video)
        size += os.path.getsize(video.path)
    return [*shards]


def write_shards(folder: Path, shards: Sequence[Sequence[Video]], class_names: Sequence[str], root: Path) -> list[Path]:
    """Write the files of the videos of each shard into `folder/shard-00000.tar` and so on, and `shards.json`.

    The index comes last: without it nothing counts.

    Args:
        shards: as `by_count` or `by_bytes` share the videos out.
        root: names in the index are relative to this folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in [folder / INDEX, *folder.glob("shard-*.tar")]:
        old.unlink(missing_ok=True)
    written: list[dict[str, Any]] = []
    numbers = itertools.count()
    for place, videos in enumerate(shards):
        path = folder / f"shard-{place:05d}.tar"
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            samples = [_add(tar, f"{next(numbers):08d}", video, class_names, root) for video in videos]
        written.append({"file": path.name, "samples": samples})
    part = folder / f"{INDEX}.part"
    part.write_text(json.dumps({"class_names": list(class_names), "shards": written}, indent=0))
    part.rename(folder / INDEX)
    return [folder / shard["file"] for shard in written]


_KEPT = ("label", "labels", "start", "end", "start_frame", "end_frame")
_NUMBERS = {"label": (int,), "start": (int, float), "end": (int, float), "start_frame": (int,), "end_frame": (int,)}


def _add(tar: tarfile.TarFile, key: str, video: Video, class_names: Sequence[str], root: Path) -> dict[str, Any]:
    """Put one video and what is known of it into a shard; its entry in the index."""
    name = os.path.relpath(video.path, root)
    known = {field: getattr(video, field) for field in _KEPT if getattr(video, field) not in (None, ())}
    classes = [class_names[label] for label in video.labels or ([] if video.label is None else [video.label])]
    data = Path(video.path).read_bytes()
    offset = _add_bytes(tar, key + Path(video.path).suffix, data)
    if video.label is not None:
        _add_bytes(tar, f"{key}.cls", str(video.label).encode())
    _add_bytes(tar, f"{key}.json", json.dumps(known | {"path": name, "classes": classes}).encode())
    return {"name": name, "offset": offset, "size": len(data)} | known


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> int:
    """Where the data begin in the shard. No times or owners: the same videos make the same shards."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
    return tar.offset - -(-len(data) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _read_index(source: str) -> tuple[list[str], list[Video]]:
    with fsspec.open(source, "rt") as stream:
        index = json.load(stream)
    folder = source[: -len(INDEX)]
    videos = []
    for shard in index["shards"]:
        for sample in shard["samples"]:
            member = Member(folder + shard["file"], sample["offset"], sample["size"], sample["name"])
            videos.append(_video(member, sample))
    return index["class_names"], videos


def _scan(source: str) -> tuple[list[str], list[Video]]:
    """The videos of shards without an index, and no names."""
    # A file that is there has its own name, even one that would be a pattern: `set [v2]/a.tar`.
    files = [file for one in _expanded(source) for file in fsspec.open_files(one, "rb", expand=not os.path.exists(one))]
    videos = []
    for file in sorted(files, key=lambda file: file.path):
        url = file.full_name if "://" in source else file.path
        with file as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for members in _samples(tar):
                video = next((one for ending, one in members.items() if ending in VIDEO_EXTENSIONS), None)
                if video is not None:
                    known = _json(tar, members["json"]) if "json" in members else {}
                    if "cls" in members:
                        known = known | {"label": int(_content(tar, members["cls"]))}
                    videos.append(_video(Member(url, video.offset_data, video.size, video.name), known))
    return [], videos


def _expanded(pattern: str) -> list[str]:
    """What a shell makes of ranges of numbers; fsspec knows `*` only.

    >>> _expanded("train-{08..10}.tar")
    ['train-08.tar', 'train-09.tar', 'train-10.tar']
    """
    found = re.search(r"{(\d+)\.\.(\d+)}", pattern)
    if found is None:
        return [pattern]
    numbers = [f"{number:0{len(found[1])}d}" for number in range(int(found[1]), int(found[2]) + 1)]
    return [one for number in numbers for one in _expanded(pattern.replace(found[0], number, 1))]


def _samples(tar: tarfile.TarFile) -> Iterator[dict[str, tarfile.TarInfo]]:
    """Neighbours that share a name up to its first dot, by the lower-case ending behind that."""
    key: tuple[str, str] | None = None
    members: dict[str, tarfile.TarInfo] = {}
    for member in tar:
        folder, _, file = member.name.rpartition("/")
        stem, _, ending = file.partition(".")
        if (folder, stem) != key:
            if members:
                yield members
            key, members = (folder, stem), {}
        if member.isfile():
            members[ending.lower()] = member
    if members:
        yield members


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    assert stream is not None  # it is a file
    return stream.read()


def _json(tar: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, Any]:
    """Others' JSON may be anything: only numbers, where we write such, say something."""
    known = json.loads(_content(tar, member))
    if not isinstance(known, dict):
        return {}
    kept = {field: known[field] for field, kinds in _NUMBERS.items() if type(known.get(field)) in kinds}
    labels = known.get("labels")
    return kept | ({"labels": labels} if isinstance(labels, list) and {*map(type, labels)} <= {int} else {})


def _video(member: Member, known: dict[str, Any]) -> Video:
    fields = {field: known[field] for field in _KEPT[2:] if field in known}
    return Video(str(member), known.get("label"), labels=tuple(known.get("labels", ())), **fields)


def _with_labels(video: Video) -> Video:
    """As in a multi-label list."""
    one = () if video.label is None else (video.label,)
    return replace(video, label=None, labels=video.labels or one)
