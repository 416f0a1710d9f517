"""From batches of views to features in a store."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from vidattn.data.videos.manifest import Video
from vidattn.probing.store import FeatureStore


@torch.inference_mode()
def extract(
    batches: Iterable[dict[str, Any]],
    videos: Sequence[Video],
    features: Callable[[Tensor], Tensor],
    store: FeatureStore,
) -> list[tuple[str, str]]:
    """Put the features of all views into the store; file and reason of each video that could not be read.

    Args:
        batches: as `vidattn.data.clips.items` has them, all views of a video in one; what `TestViews` makes under
            "skip".
        videos: that the batches' `video_id` counts.
        features: uint8 clips `(V, 3, T, S, S)` -> `(V, ...)`.
        store: where they go.
    """
    skipped: list[tuple[str, str]] = []
    for batch in batches:
        skipped += batch["skipped"]
        if not len(batch["video"]):
            continue
        rows = features(batch["video"])
        for video in batch["video_id"].unique_consecutive().tolist():
            store.add(videos[video], rows[batch["video_id"] == video])
    return skipped
