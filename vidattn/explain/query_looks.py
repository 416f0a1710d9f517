"""What the queries of a detector looked at in one clip: points with weights, or a weight for each token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vidattn.explain.explanation import time_labels
from vidattn.mistakes import Mistake
from vidattn.models.cross_attention import CrossAttention, DenseCrossAttention
from vidattn.models.deformable_cross_attention import DeformableCrossAttention
from vidattn.models.network import Features
from vidattn.models.query_decoder import QueryDecoder
from vidattn.models.tubes import Detections

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Points(NamedTuple):
    """The points that each query took, of all its heads.

    Args:
        places: `(B, Q, n, 3)`: x, y and time in fractions of the clip; what lies outside the picture was read as zeros.
        weights: `(B, Q, n)`: what each counted; those of a query sum to 1.
        times: T', frames of the tokens that were read.
    """

    places: Tensor
    weights: Tensor
    times: int

    def of(self, query: int) -> "Points":
        """Those of one query in the first clip, without the axes B and Q."""
        return Points(self.places[0, query].cpu(), self.weights[0, query].cpu(), self.times)


class Weights(NamedTuple):
    """What each token counted for each query, the mean over its heads.

    Args:
        weights: `(B, Q, T', h, w)`; those of a query sum to 1.
    """

    weights: Tensor

    def of(self, query: int) -> "Weights":
        """Those of one query in the first clip, without the axes B and Q."""
        return Weights(self.weights[0, query].cpu())


@torch.no_grad()
def watch_queries(
    decoder: QueryDecoder, features: Features, frames: int, layer: int = -1
) -> tuple[Detections, Points | Weights]:
    """What a decoder finds, and what its queries looked at on the way.

    Args:
        decoder: of queries.
        features: of the network, normed.
        frames: of the clips.
        layer: of the decoder whose cross-attention is watched; the last by default.

    Raises:
        Mistake: there is no such layer, or its cross-attention is of a kind that tells nothing.
    """
    depth = len(decoder.layers)
    if not -depth <= layer < depth:
        raise Mistake(f"layer={layer}: the decoder has {depth}; wanted 0 to {depth - 1}, or -1 for the last")
    cross: Any = decoder.layers[layer].cross
    calls: list[tuple[Tensor, ...]] = []
    hook = cross.register_forward_pre_hook(lambda _, inputs: calls.append(inputs))
    try:
        found, _ = decoder(features, frames)
    finally:
        hook.remove()
    return found, seen(cross, *calls[0])


def seen(cross: CrossAttention, queries: Tensor, boxes: Tensor, times: Tensor, tokens: Tensor) -> Points | Weights:
    """What queries look at in a call of `cross` with these inputs.

    Raises:
        Mistake: it is of another kind.
    """
    if isinstance(cross, DeformableCrossAttention):
        places = cross.points(queries, boxes, times, tokens.shape[1])
        weights = cross.shares(queries).float() / cross.num_heads
        return Points(places.flatten(2, 3), weights.flatten(2), tokens.shape[1])
    if isinstance(cross, DenseCrossAttention):
        return Weights(cross.weights(queries, boxes, times, tokens).float())
    raise Mistake(
        f"{type(cross).__name__} does not say where its queries look; DenseCrossAttention and DeformableCrossAttention "
        "do, and vidattn.explain.query_looks.seen is where another would"
    )


class QueryLook(NamedTuple):
    """What one query looked at.

    Args:
        name: what it found, and how sure it is.
        query: its number.
        boxes: frame of the clip -> x1, y1, x2, y2 in fractions of the picture.
        seen: of this query alone, without the axes B and Q.
    """

    name: str
    query: int
    boxes: Mapping[int, np.ndarray]
    seen: Points | Weights


@dataclass(frozen=True, eq=False)
class QueryLooks:
    """What the surest queries looked at in one clip of a video.

    Args:
        path: the file, "<bytes>" or "<array>".
        frames: uint8 `(T, S, S, 3)`, what the network saw.
        seconds: `(T,)`, when they are in the video.
        looks: the surest first.
        proportion: width by height of the video's pictures.
    """

    path: str
    frames: np.ndarray
    seconds: Sequence[float]
    looks: Sequence[QueryLook]
    proportion: float = 1.0

    def figure(self) -> "Figure":
        """A row of frames for each query: the box that it found, its points (the larger, the more they count) or its
        weights as heat, and below each frame the share that lies in it."""
        from vidattn.plots.query_looks import LookRow, plot_query_looks  # matplotlib only where something is drawn

        rows = []
        for look in self.looks:
            if isinstance(look.seen, Points):
                points, weights = on_frames(look.seen, len(self.frames))
                rows.append(LookRow(look.name, look.boxes, points=points, weights=weights))
            else:
                shares = look.seen.weights[tokens_of(len(self.frames), len(look.seen.weights))]
                rows.append(LookRow(look.name, look.boxes, shares=(shares / shares.sum()).numpy()))
        return plot_query_looks(self.frames, rows, time_labels(self.seconds), self._title, self.proportion)

    @property
    def _title(self) -> str:
        """With the file's name, where the video is one."""
        what = "what the surest queries looked at"
        return what.capitalize() if self.path in ("<array>", "<bytes>") else f"{Path(self.path).name}: {what}"

    def save(self, path: str | Path) -> Path:
        """Write the figure as `.png`, `.svg` or `.pdf`; folders are made.

        Raises:
            ValueError: the file's ending is none of these.
        """
        from vidattn.plots import fonts

        path = Path(path)
        check_picture(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        fonts.save(self.figure(), path, dpi=110)
        return path

    def _repr_png_(self) -> bytes:
        from vidattn.plots import fonts

        return fonts.png(self.figure())

    def __repr__(self) -> str:
        return f"<QueryLooks of {self.path}: {', '.join(look.name for look in self.looks)}>"


def tokens_of(frames: int, times: int) -> Tensor:
    """Which of so many tokens in a row, over time, each frame of a clip went into.

    >>> tokens_of(6, 3)
    tensor([0, 0, 1, 1, 2, 2])
    """
    return torch.arange(frames) * times // frames


def on_frames(points: Points, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A query's points on the frames of a clip: `(m, 3)`, x, y and the number of a frame, and their weights `(m,)`.

    A point stands on each frame of the token that is nearest in time, and its weight is parted among them.
    """
    of_frame = tokens_of(count, points.times)
    nearest = (points.places[:, 2] * points.times).long().clamp(0, points.times - 1)
    point, frame = (nearest[:, None] == of_frame).nonzero(as_tuple=True)
    shared = points.weights[point] / torch.bincount(of_frame)[nearest[point]]
    return torch.column_stack((points.places[point, :2], frame)).numpy(), shared.numpy()


def check_picture(path: Path) -> None:
    """
    Raises:
        Mistake: a picture of this name cannot be written.
    """
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise Mistake(f"{path}: what queries look at is drawn as .png, .svg or .pdf; choose one of these endings")
