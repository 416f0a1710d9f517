"""Which query answers for which person: the cheapest assignment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torchvision.ops import generalized_box_iou_loss

from vidattn.checks import check_above_zero
from vidattn.data.boxes.people import People
from vidattn.models.actions import Actions
from vidattn.models.tubes import Detections, asked_frames, to_centers, to_corners


class Targets(NamedTuple):
    """Who is to be found in a batch of clips, on their asked frames; clips with fewer people than others are filled up.

    Args:
        boxes: `(B, P, K, 4)`, centre and size in fractions of the picture; where a person has none,
            the nearest in time.
        shown: `(B, P, K)` bool, whether the person has a box on that frame.
        actions: `(B, P, C)`, 1 for what the person does.
        there: `(B, P)` bool, whether there is such a person: one with a box on at least one asked frame.
    """

    boxes: Tensor
    shown: Tensor
    actions: Tensor
    there: Tensor

    @classmethod
    def of(cls, people: Sequence[People], frames: int, asked: int, actions: int, device: torch.device) -> "Targets":
        """Of the people of each clip.

        Args:
            people: of B clips.
            frames: of a clip.
            asked: K.
            actions: C.
            device: where they are wanted.
        """
        chosen = asked_frames(frames, asked)
        kept = []
        for one in people:
            shown = one.present[:, chosen]
            known = shown.any(1)
            kept.append((one.boxes[known][:, chosen], shown[known], one.actions[known]))
        most = max((len(boxes) for boxes, _, _ in kept), default=0)
        boxes = torch.full((len(people), most, asked, 4), 0.5)
        shown = torch.zeros(len(people), most, asked, dtype=torch.bool)
        does = torch.zeros(len(people), most, actions)
        there = torch.zeros(len(people), most, dtype=torch.bool)
        for clip, (own, seen, doing) in enumerate(kept):
            count = len(own)
            filled = own.float().take_along_dim(nearest(seen)[:, :, None], dim=1)
            boxes[clip, :count], shown[clip, :count], does[clip, :count] = to_centers(filled), seen, doing
            there[clip, :count] = True
        return cls(*(one.to(device, non_blocking=True) for one in (boxes, shown, does, there)))

    @property
    def number(self) -> Tensor:
        """People in the batch, a scalar in float32."""
        return self.there.sum().float()


def nearest(shown: Tensor) -> Tensor:
    """For each frame of `(P, K)` bool the nearest one on which the person is shown, `(P, K)`; the earlier of two.

    >>> nearest(torch.tensor([[False, True, False, False, True]]))
    tensor([[1, 1, 1, 4, 4]])
    """
    places = torch.arange(shown.shape[1])
    far = (places[:, None] - places).abs() + len(places) * ~shown[:, None]
    return far.argmin(-1)


@dataclass(frozen=True)
class BoxWeights:
    """How much each part counts, in the costs of a match and in the loss; by default DETR's.

    Args:
        actions: of what people do, and of nobody.
        l1: of the distance of the boxes' numbers.
        giou: of their generalised intersection over union.

    Raises:
        ValueError: one is not above 0.
    """

    actions: float = 1.0
    l1: float = 5.0
    giou: float = 2.0

    def __post_init__(self) -> None:
        check_above_zero(actions=self.actions, l1=self.l1, giou=self.giou)


def over_shown(values: Tensor, shown: Tensor) -> Tensor:
    """The mean over the asked frames, the last axis, on which a person is shown."""
    return (values * shown).sum(-1) / shown.sum(-1).clamp(min=1)


def box_errors(boxes: Tensor, wanted: Tensor, shown: Tensor) -> tuple[Tensor, Tensor]:
    """L1 (the sum of the four numbers) and 1 - GIoU (https://arxiv.org/abs/1902.09630), the mean over shown frames.

    Args:
        boxes: `(..., K, 4)`, centre and size.
        wanted: `(..., K, 4)`; axes of size 1 are repeated, likewise of the others.
        shown: `(..., K)`.
    """
    l1 = (boxes - wanted).abs().sum(-1)
    giou = generalized_box_iou_loss(*torch.broadcast_tensors(to_corners(boxes), to_corners(wanted)), reduction="none")
    return over_shown(l1, shown), over_shown(giou, shown)


@torch.no_grad()
def match(found: Detections, targets: Targets, actions: Actions, weights: BoxWeights) -> Tensor:
    """The person that each query answers for in each layer, `(L, B, Q)` int64; -1 where it is nobody.

    The Hungarian match of DETR, https://arxiv.org/abs/2005.12872, section 3.1: each person of a clip gets one query, so
    that costs of actions and boxes are least in all. Where there are more people than queries, some get none.

    Args:
        found: of the queries.
        targets: of the same clips.
        actions: what the logits mean.
        weights: of the costs.
    """
    of_query = torch.full(found.logits.shape[:3], -1)
    if not targets.there.numel():
        return of_query.to(found.logits.device)
    l1, giou = box_errors(found.boxes[:, :, :, None], targets.boxes[None, :, None], targets.shown[None, :, None])
    costs = weights.actions * actions.costs(found.logits, targets.actions) + weights.l1 * l1 + weights.giou * giou
    # A network that has gone astray is told of by its loss, not by the assignment.
    worst = torch.finfo(torch.float32).max
    table = torch.nan_to_num(costs.float(), nan=worst, posinf=worst, neginf=-worst).cpu().numpy()
    for clip, people in enumerate(targets.there.sum(1).tolist()):
        for layer in range(len(table)):
            queries, persons = linear_sum_assignment(table[layer, clip, :, :people].astype(np.float64))
            of_query[layer, clip, torch.from_numpy(queries)] = torch.from_numpy(persons)
    return of_query.to(found.logits.device)
