"""The clips of labelled videos, as a classifier is shown them, to try it on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader

from vidattn.classify.preparation import Preparation
from vidattn.data.clips.dataset import TestViews
from vidattn.data.clips.items import collate
from vidattn.data.readers.opening import VideoOpener
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
        views = TestViews(labelled, preparation.sampling, 1, 1, preparation.image_size, VideoOpener(reader), "skip")
        views.crops = replace(preparation, num_crops=1).crops
        self._loader = DataLoader(views, batch_size, collate_fn=collate)
        self._progress = progress
        self.skipped = [(path, "no such file; check the list, and root") for path in manifest.missing_paths]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in track(self._loader, "Probing", disable=not self._progress):
            self.skipped += batch["skipped"]
            if len(batch["video"]):
                yield batch["video"], batch["label"]
