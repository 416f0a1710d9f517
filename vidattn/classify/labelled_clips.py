"""The clips of labelled videos, as a classifier is shown them, to try it on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.progress import track
from torch import Tensor

from vidattn.classify.listed_views import listed_views
from vidattn.classify.preparation import Preparation
from vidattn.data.videos.manifest import read_manifest
from vidattn.data.videos.shards import refuse_shards
from vidattn.mistakes import Mistake


class LabelledClips:
    """The middle clip of each video, centre crop, in batches: uint8 `(B, 3, T, S, S)` and classes `(B,)`.

    Args:
        videos: a list, folder or file that `read_manifest` reads.
        root: folder that a list's paths start from; the list's own folder by default.
        class_names: names in the order of the labels.
        preparation: which frames make a clip, and at what size.
        reader: "pyav", "decord", "torchcodec" or "torchcodec_cuda".
        batch_size: clips in a batch, B.
        progress: show a bar.

    Attributes:
        skipped: file and reason of each video that is listed but not there, and of each that could not be read once
            its batch has gone by.

    Raises:
        ManifestError: the list cannot be read, or has a class that is not among the names.
        ValueError: it names no classes, or several of one video.
    """

    def __init__(
        self,
        videos: str | Path,
        root: str | Path | None,
        class_names: Sequence[str],
        preparation: Preparation,
        reader: str,
        batch_size: int,
        progress: bool,
    ) -> None:
        refuse_shards(str(videos))
        manifest = read_manifest(videos, root, class_names)
        labelled = manifest.videos
        if any(video.label is None for video in labelled):
            raise Mistake(f"{videos}: wanted one class for each video; without it there is no accuracy to probe")
        self._loader = listed_views(labelled, replace(preparation, num_clips=1, num_crops=1), reader, batch_size)
        self._progress = progress
        self.skipped = [(path, "no such file; check the list, and root") for path in manifest.missing_paths]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in track(self._loader, "Probing", disable=not self._progress):
            self.skipped += batch["skipped"]
            if len(batch["video"]):
                yield batch["video"], batch["label"]
