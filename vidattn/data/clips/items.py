"""What a dataset yields and a batch holds: dicts with the same keys.

V counts the views (clips, or crops of clips) in the item or batch:

| key | |
|---|---|
| `video` | uint8 `(V, 3, T, S, S)`, RGB |
| `label` | int64 `(V,)`, -1 where unknown; of a multi-label list float32 `(V, K)`, 1 for each class of the video |
| `video_id` | int64 `(V,)`, index into the list of videos |
| `view` | int64 `(V,)`, number of the view within its video, clip by clip |
| `path` | `list[str]`, the file of each video that has views here, in their order |
| `skipped` | `list[tuple[str, str]]`, file and reason of each video that could not be decoded |
| `broken` | `list[str]`, those files of `skipped` that are at fault themselves, and not what they were read with |

`label` is there by default; another `TargetEncoder` has entries of its own in place of it.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vidattn.data.errors import PassingError, VideoDecodeError
from vidattn.data.videos.manifest import Video

Item = dict[str, Any]


def item(
    views: list[Tensor],
    targets: dict[str, Any],
    video: Video,
    index: int,
    skipped: Sequence[tuple[str, VideoDecodeError]],
) -> Item:
    """Views `(T, 3, S, S)` of one video, in order, with all that is known of it."""
    return {
        "video": torch.stack([view.transpose(0, 1) for view in views]),
        **targets,
        "video_id": torch.full((len(views),), index),
        "view": torch.arange(len(views)),
        "path": [video.path],
        **_skipped(skipped),
    }


def empty_item(
    num_frames: int,
    image_size: int,
    targets: dict[str, Any],
    skipped: Sequence[tuple[str, VideoDecodeError]],
) -> Item:
    """Of a video that was skipped: no views, and the reason."""
    none = torch.empty(0, dtype=torch.int64)
    video = torch.empty(0, 3, num_frames, image_size, image_size, dtype=torch.uint8)
    return {"video": video, **targets, "video_id": none, "view": none, "path": [], **_skipped(skipped)}


def collate(items: Sequence[Item]) -> Item:
    """Items to one batch: tensors joined along V, lists joined. It is empty (V = 0) where every video was skipped."""
    return {
        key: torch.cat([item[key] for item in items])
        if isinstance(value, Tensor)
        else [entry for item in items for entry in item[key]]
        for key, value in items[0].items()
    }


def _skipped(skipped: Sequence[tuple[str, VideoDecodeError]]) -> Item:
    return {
        "skipped": [(path, error.reason) for path, error in skipped],
        "broken": [path for path, error in skipped if not isinstance(error, PassingError)],
    }
