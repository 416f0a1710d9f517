"""True boxes with noise, handed to the decoder beside its queries: it learns to mend boxes, and to name given ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vidattn.checks import check_positive
from vidattn.mistakes import Mistake
from vidattn.models.query_decoder import Given
from vidattn.models.tubes import Detections
from vidattn.training.matching import Targets


@dataclass(frozen=True)
class Denoising:
    """Groups of all true boxes of a clip, each moved and scaled; the people of a tube's boxes alike.

    DN-DETR, https://arxiv.org/abs/2203.01305, section 4.2, without labels: a match is known from the first step on, and
    what the decoder learns is what it needs for boxes that a person detector has found.

    Args:
        groups: how often each person is handed in.
        shift: the furthest that a centre moves, in halves of the box's sides.
        scale: the most that a side grows or shrinks, as a share of itself.

    Raises:
        ValueError: `groups` is below 1, or a share is not from 0 to below 1.
    """

    groups: int = 3
    shift: float = 0.4
    scale: float = 0.4

    def __post_init__(self) -> None:
        check_positive(groups=self.groups)
        for name, share in (("shift", self.shift), ("scale", self.scale)):
            if not 0 <= share < 1:
                raise Mistake(f"denoising {name}={share}: expected a share from 0 to below 1, such as 0.4")

    def draw(self, targets: Targets, seeds: Sequence[int]) -> Given:
        """The boxes to hand in.

        Args:
            targets: of B clips.
            seeds: of each: what is drawn for a clip depends on its own alone.
        """
        given = given_people(targets, self.groups)
        people = targets.boxes.shape[1]
        noise = torch.zeros(len(seeds), self.groups, people, 4)
        for clip, seed in enumerate(seeds):
            generator = torch.Generator().manual_seed(seed)
            count = int(targets.there[clip].sum())  # whoever else is in the batch, the draws are the same
            noise[clip, :, :count] = torch.rand(self.groups, count, 4, generator=generator) * 2 - 1
        if not people:
            return given
        noise = noise.flatten(1, 2)[:, :, None].to(given.boxes.device)
        middle, sides = given.boxes[..., :2], given.boxes[..., 2:]
        middle = middle + noise[..., :2] * self.shift * sides / 2
        return Given(torch.cat((middle, sides * (1 + noise[..., 2:] * self.scale)), dim=-1).clamp(0, 1), given.group)


def given_people(targets: Targets, groups: int = 1) -> Given:
    """The true boxes themselves, `groups` times; a single one of nobody where the whole batch is empty, so that all
    processes use the same parameters."""
    clips, people, boxes, _ = targets.boxes.shape
    if not people:
        nobody = torch.full((clips, 1), -1, device=targets.boxes.device)
        return Given(torch.full((clips, 1, boxes, 4), 0.5, device=targets.boxes.device), nobody)
    number = torch.arange(groups, device=targets.boxes.device).repeat_interleave(people)
    there = targets.there.repeat(1, groups)
    return Given(targets.boxes.repeat(1, groups, 1, 1), torch.where(there, number, -1))


def known_people(said: Detections, given: Given, targets: Targets) -> tuple[Detections, Targets, Tensor]:
    """What is said of given boxes, and whom each is of: as of one clip that holds all, `(L, 1, n)`.

    Args:
        said: of the boxes that `Denoising.draw` or `given_people` made of `targets`.
        given: those.
        targets: who is there.
    """
    there = given.group >= 0
    flat = Detections(*(None if one is None else one[:, there][:, None] for one in said))  # type: ignore[arg-type]
    repeats = there.shape[1] // max(targets.there.shape[1], 1)
    parts = []
    for one in (targets.boxes, targets.shown, targets.actions, targets.there):
        parts.append(one.repeat(1, repeats, *[1] * (one.ndim - 2))[targets.there.repeat(1, repeats)][None])
    of_query = torch.arange(parts[0].shape[1], device=there.device).expand(len(said.logits), 1, -1)
    return flat, Targets(*parts), of_query
