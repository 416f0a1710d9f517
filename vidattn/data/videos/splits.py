"""The lists of a run: which videos each split has, with the same labels in all of them."""

import os
import reprlib
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from vidattn.data.videos.few_labels import FewLabels
from vidattn.data.videos.manifest import Manifest, ManifestError, Video, read_class_names, read_manifest, recounted
from vidattn.data.videos.remarks import remarks
from vidattn.data.videos.shards import is_shards, read_shards
from vidattn.mistakes import Mistake

Split = Literal["train", "val", "test", "predict"]
Source = str | os.PathLike[str] | Manifest | Iterable[Video]
"""Where the videos of a split come from: what can be read, what has been read, or the videos themselves."""

_WANTED = "the path of a list, a folder or a file, a Manifest, or videos such as [vidattn.data.Video('a.mp4', label=0)]"


class Splits:
    """Reads each list when it is first asked for. Labels are those of the first list that has any, or of `class_names`.

    What is odd about a list is said once, to `warn`.

    Args:
        sources: what `read_manifest` or `read_shards` reads, a manifest, or videos whose labels are numbers; by split,
            training first; None where there is none.
        root: folder that the lists' paths start from; each list's own folder by default.
        class_names: names in the order of their labels, or a file of them.
        folder_fps: frames per second of videos that are folders of pictures.
        multi_label: a video may have several classes. Lists show it, and the one of training shows it for the others.
        few_labels: which videos of the training list are used; all by default.
        warn: takes what is to be said.
    """

    def __init__(
        self,
        sources: Mapping[Split, Source | None],
        root: str | None = None,
        class_names: list[str] | str | None = None,
        folder_fps: float = 30.0,
        multi_label: bool = False,
        few_labels: FewLabels | None = None,
        warn: Callable[[str], object] = warnings.warn,
    ) -> None:
        self.few_labels = few_labels
        self.sources: dict[Split, str | Manifest | None] = {
            split: _told(source, f"data.{split}") for split, source in sources.items()
        }
        self.root = root
        self.folder_fps = folder_fps
        self.multi_label = multi_label
        self.warn = warn
        self._names_file = class_names if isinstance(class_names, str) else None
        self._given_names = None if isinstance(class_names, str) else class_names
        self._manifests: dict[Split, Manifest] = {}
        self._checkpoint_names: list[str] | None = None

    @property
    def class_names(self) -> list[str]:
        """Names in the order of their labels.

        Raises:
            ValueError: neither `class_names` nor a list with labels is given.
        """
        return self._own_names() if self._checkpoint_names is None else self._checkpoint_names

    @property
    def given_names(self) -> list[str] | None:
        """The names that were given, or stand in the file that was; None where the lists say them."""
        return self._own_names() if self._given_names is not None or self._names_file is not None else None

    def manifest(self, split: Split) -> Manifest:
        """The videos of one split; read once, with a warning where listed files are missing.

        Raises:
            ValueError: the split has no source.
            ManifestError: its source cannot be used.
        """
        manifest = self._read(split)
        names = self._checkpoint_names
        if names is None or not manifest.class_names or manifest.class_names == names:
            return manifest
        videos = recounted(f"data.{split}", manifest.videos, manifest.class_names, names)
        return replace(manifest, videos=videos, class_names=names)

    def count_as(self, names: Sequence[str]) -> None:
        """From now on labels count these names, those of a checkpoint; each class is found by its own name."""
        self._checkpoint_names = list(names)

    def _read(self, split: Split) -> Manifest:
        """The split with the labels that its list, or `class_names`, gives it."""
        if split not in self._manifests:
            source = self.sources[split]
            if source is None:
                raise Mistake(f"data.{split} is not set; give it a list, a folder or a file of videos")
            names = self._names_for(split)
            several = self._has_several(split)
            try:
                if isinstance(source, Manifest):
                    manifest = _with_names(source, names, several)
                elif is_shards(source):
                    manifest = read_shards(source, names, several)
                else:
                    given = names if self._names_file is None or names is None else self._names_file
                    manifest = read_manifest(source, self.root, given, self.folder_fps, several)
                if split == "train" and self.few_labels is not None:
                    manifest = self.few_labels.of(manifest)
            except ManifestError as error:
                raise ManifestError(f"data.{split}: {error}") from error
            self._manifests[split] = manifest
            self._remark(split, manifest)
        return self._manifests[split]

    def _remark(self, split: Split, manifest: Manifest) -> None:
        if manifest.missing:
            self.warn(manifest.describe_missing())
        if split == "predict":
            return
        train = self._manifests.get("train") if split != "train" else None  # it need not be at hand
        if train and manifest.numbered and not train.numbered and self._given_names is None:
            first, last = train.class_names[0], train.class_names[-1]
            self.warn(
                f"data.{split} has numbers as labels; they count through the names of data.train, from 0 for {first!r} "
                f"to {len(train.class_names) - 1} for {last!r}; if they mean others, set data.class_names"
            )
        for line in remarks(split, manifest, train):
            self.warn(line)

    def _own_names(self) -> list[str]:
        if self._names_file is not None and self._given_names is None:
            self._given_names = read_class_names(self._names_file)
        if self._given_names is not None:
            return self._given_names
        for split, source in self.sources.items():
            if source and split != "predict" and (names := self._read(split).class_names):
                return names
        raise Mistake("no classes are known: set data.class_names, or data.train to a list with labels")

    def _names_for(self, split: Split) -> Sequence[str] | None:
        """The common names; None for the split that they come from, and for videos to classify, whose labels nobody
        asks for: the training list need not be at hand."""
        if split == "predict":
            return None
        if self._given_names is not None or self._names_file is not None:
            return self._own_names()
        for earlier, source in self.sources.items():
            if earlier == split:
                break
            if source and (names := self._read(earlier).class_names):
                return names
        return None

    def _has_several(self, split: Split) -> bool:
        """Whether a list must be taken for a multi-label one, even if each of its videos has one class."""
        read = self._manifests.values()  # training's before the others, whose labels are its own
        return split != "predict" and (self.multi_label or any(manifest.multi_label for manifest in read))


def in_memory(videos: Iterable[Video], source: str) -> Manifest:
    """Videos as a list; their labels are numbers, and so are the names of their classes.

    >>> in_memory([Video("a.mp4", 0), Video("b.mp4", 2)], "data.train").class_names
    ['0', '1', '2']

    Args:
        videos: of which all have a label, several labels, or none.
        source: what messages call them.

    Raises:
        ManifestError: there are none, or their labels are not of one kind, whole numbers from 0 up.
        ValueError: they are no `Video`s.
    """
    videos = [_checked(video, source) for video in videos]
    if not videos:
        raise ManifestError(f"{source} holds no videos")
    several = any(video.labels for video in videos)
    labels = [label for video in videos for label in (video.label, *video.labels) if label is not None]
    if labels and not several and (bare := next((one for one in videos if one.label is None), None)):
        raise ManifestError(f"{source}: {bare.path} has no label, and others have one; give all of them one, or none")
    return Manifest(
        videos, [str(label) for label in range(max(labels, default=-1) + 1)], source, multi_label=several, numbered=True
    )


def _told(source: Source | None, name: str) -> str | Manifest | None:
    """What a split is read from, or has been."""
    if isinstance(source, os.PathLike):
        return os.fspath(source)
    if isinstance(source, str | Manifest | None):
        return source
    if not isinstance(source, Iterable):
        raise Mistake(f"{name}={reprlib.repr(source)} is no source of videos; wanted {_WANTED}")
    return in_memory(source, name)


def _checked(video: object, source: str) -> Video:
    if not isinstance(video, Video):
        raise Mistake(f"{source} holds {reprlib.repr(video)}, which is no Video; wanted {_WANTED}")
    for label in (video.label, *video.labels):
        if label is not None and (not isinstance(label, int) or label < 0):
            raise ManifestError(
                f"{source}: {video.path} has the label {label!r}; wanted a whole number from 0 up, whose name is in "
                "data.class_names"
            )
    return replace(video, path=os.fspath(video.path))


def _with_names(manifest: Manifest, names: Sequence[str] | None, several: bool) -> Manifest:
    """The manifest with labels that count `names`; where its own are numbers, they do so already."""
    if several and not manifest.multi_label:
        videos = [replace(one, label=None, labels=() if one.label is None else (one.label,)) for one in manifest.videos]
        manifest = replace(manifest, videos=videos, multi_label=True)
    if names is None:
        return manifest
    if not manifest.numbered:
        videos = recounted(manifest.source, manifest.videos, manifest.class_names, names)
        return replace(manifest, videos=videos, class_names=list(names))
    if len(manifest.class_names) > len(names):
        raise ManifestError(
            f"label {len(manifest.class_names) - 1} is none of the {len(names)} classes, 0 to {len(names) - 1}"
        )
    return replace(manifest, class_names=list(names))
