"""The clips of a video joined along time, so that a probe sees all of it at once."""

from collections.abc import Sequence
from typing import overload

import torch
from torch import Tensor

from vidattn.probing.rows import LabelledRows


def joined(rows: LabelledRows, num_clips: int) -> LabelledRows:
    """One view of each video in place of one for each clip.

    Tokens `(V, S, D)` lie one behind another, `(1, num_clips S, D)`, as the evaluation code of V-JEPA 2 hands the
    clips of a video to its attentive probe (https://arxiv.org/abs/2506.09985); vectors `(V, D)` become their mean,
    `(1, D)`. A video that is too short for so many clips has kept those that differ, V of them:
    they are repeated.

    Args:
        rows: of each video its clips in order, one crop of each.
        num_clips: asked of each video.
    """
    return LabelledRows(JoinedClips(rows.views, num_clips), rows.labels)


class JoinedClips(Sequence[Tensor]):
    """See `joined`; a video is joined when it is asked for, so that kept features stay on disk."""

    def __init__(self, views: Sequence[Tensor], num_clips: int) -> None:
        self.views, self.num_clips = views, num_clips

    def __len__(self) -> int:
        return len(self.views)

    @overload
    def __getitem__(self, place: int) -> Tensor: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Tensor]: ...
    def __getitem__(self, place: int | slice) -> Tensor | Sequence[Tensor]:
        if isinstance(place, slice):
            return JoinedClips(self.views[place], self.num_clips)
        clips = self.views[place]
        clips = clips[torch.arange(self.num_clips) * len(clips) // self.num_clips]
        if clips.ndim == 2:
            return clips.float().mean(0, keepdim=True)
        return clips.flatten(0, 1)[None]
