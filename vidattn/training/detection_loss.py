"""What detections lack of the people that are there."""

from dataclasses import asdict

import torch
import torch.distributed
import torch.nn.functional as F
from torch import Tensor

from vidattn.models.actions import Actions, Ratio
from vidattn.models.tubes import Detections
from vidattn.training.matching import BoxWeights, Targets, box_errors

TERMS = ("actions", "l1", "giou", "shown")
"""Parts of the loss; the last where boxes are asked on several frames."""


def detection_terms(found: Detections, targets: Targets, of_query: Tensor, actions: Actions) -> dict[str, list[Ratio]]:
    """The parts of the loss, each as ratios of every layer: those of actions over all queries, of boxes over the people
    of the batch, as in DETR's code.

    A person's boxes count as one: the mean over the asked frames on which it is shown.

    Args:
        found: of the queries, or of given boxes.
        targets: of the same clips.
        of_query: the person of each, `(L, B, Q)`; -1 for nobody.
        actions: what the logits mean.
    """
    somebody = of_query >= 0
    if targets.there.shape[1]:
        clip = torch.arange(of_query.shape[1], device=of_query.device)[None, :, None].expand_as(of_query)
        person = of_query.clamp(min=0)
        wanted, boxes, shown = (one[clip, person] for one in (targets.actions, targets.boxes, targets.shown))
        wanted, shown = wanted * somebody[..., None], shown & somebody[..., None]
    else:
        wanted = found.logits.new_zeros(found.logits[..., :-1].shape)
        boxes, shown = (
            found.boxes.detach(),
            torch.zeros(found.boxes.shape[:-1], dtype=torch.bool, device=of_query.device),
        )
    people = targets.number.expand(len(of_query))
    l1, giou = box_errors(found.boxes, boxes, shown)
    terms = {
        "actions": actions.losses(found.logits, wanted, somebody),
        "l1": [Ratio((l1 * somebody).sum((1, 2)), people)],
        "giou": [Ratio((giou * somebody).sum((1, 2)), people)],
    }
    if found.shown is not None:
        error = F.binary_cross_entropy_with_logits(found.shown, shown.to(found.shown.dtype), reduction="none").mean(-1)
        terms["shown"] = [Ratio((error * somebody).sum((1, 2)), people)]
    return terms


def over_processes(terms: dict[str, list[Ratio]]) -> dict[str, list[Ratio]]:
    """The same with counts that are the mean over all processes, so that the mean of their losses, and of their
    gradients, is the loss of all clips together. All processes must come here at the same time."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return terms
    counts = torch.stack([ratio.over for ratios in terms.values() for ratio in ratios]).clone()
    torch.distributed.all_reduce(counts)
    shared = iter(counts / torch.distributed.get_world_size())
    return {name: [Ratio(ratio.total, next(shared)) for ratio in ratios] for name, ratios in terms.items()}


def weighed(terms: dict[str, list[Ratio]], weights: BoxWeights) -> dict[str, Tensor]:
    """Each part's loss times its weight, summed over the layers, by name; being shown weighs 1.

    Where nobody is there, boxes are divided by 1.
    """
    factors = {**asdict(weights), "shown": 1.0}
    return {
        name: factors[name] * torch.stack([(total / floor(name, count)).sum() for total, count in ratios]).sum()
        for name, ratios in terms.items()
    }


def floor(name: str, count: Tensor) -> Tensor:
    """What a sum is divided by: at least 1 person, as in DETR's code, or any weight of queries."""
    return count.clamp(min=1.0 if name != "actions" else 1e-6)
