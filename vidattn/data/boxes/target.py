"""The people of a clip as what is to be learnt of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors

from vidattn.data.boxes.people import People
from vidattn.data.boxes.video_boxes import VideoBoxes
from vidattn.data.clips.target import Target, TargetEncoder
from vidattn.data.videos.manifest import Video


class PeopleOfClip(TargetEncoder):
    """Who is in the clip, where, and what they do: `people`, `frames` and `lost`, see `People`.

    Boxes go through the transforms with the pictures. What has left the picture by then is dropped, and counted.

    Args:
        boxes: of each video, by its path as the list of videos has it; a video that it lacks has no one.
        num_classes: C.
        least: share of a box's area that must still be in the picture.
        middle_only: only the middle frame of a clip is known, others may show people that no list has.
    """

    def __init__(
        self, boxes: Mapping[str, VideoBoxes], num_classes: int, least: float = 0.25, middle_only: bool = False
    ) -> None:
        self.boxes = boxes
        self.num_classes = num_classes
        self.least = least
        self.middle_only = middle_only

    def encode(self, video: Video, frames: Sequence[int], size: tuple[int, int]) -> Target:
        """The boxes on the frames, one row each, and whose and of which frame they are."""
        height, width = size
        there = self.boxes.get(video.path) or VideoBoxes.none(self.num_classes)
        places = [len(frames) // 2] if self.middle_only else range(len(frames))
        rows: list[int] = []
        times: list[int] = []
        for place in places:
            found = there.rows_of(frames[place])
            rows += range(found.start, found.stop)
            times += [place] * (found.stop - found.start)
        sides = torch.tensor([width, height, width, height])
        boxes = torch.from_numpy(there.boxes[rows]) * sides
        # Unclamped: how much of a box is left shows only where it may reach over the edge.
        moving = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=size, clamping_mode=None)
        return {
            "boxes": moving,
            "times": torch.tensor(times, dtype=torch.int64),
            "persons": torch.from_numpy(there.persons[rows]),
            "actions": torch.from_numpy(there.actions[rows]),
            "frames": torch.tensor(frames, dtype=torch.int64),
        }

    def batch(self, targets: Sequence[Target]) -> dict[str, Tensor | list[Any]]:
        """`people`, `frames` and `lost`."""
        clips = [self._people(target) for target in targets]
        frames = [target["frames"] for target in targets]
        return {
            "people": [people for people, _ in clips],
            "frames": torch.stack(frames) if frames else torch.empty(0, dtype=torch.int64),
            "lost": torch.tensor([lost for _, lost in clips], dtype=torch.int64),
        }

    def _people(self, target: Target) -> tuple[People, int]:
        """The people who are left, and how many boxes are not."""
        height, width = target["boxes"].canvas_size
        sides = torch.tensor([width, height, width, height])
        whole = target["boxes"].as_subclass(Tensor) / sides
        inside = whole.clamp(0, 1)
        left = _area(inside) > self.least * _area(whole)
        names, who = target["persons"][left].unique(return_inverse=True)
        people = People.nobody(len(target["frames"]), self.num_classes)
        if len(names):
            shape = (len(names), len(target["frames"]))
            times = target["times"][left]
            people = People(
                torch.zeros(*shape, 4), torch.zeros(shape, dtype=torch.bool), torch.zeros(len(names), self.num_classes)
            )
            people.boxes[who, times] = inside[left]
            people.present[who, times] = True
            people.actions.index_put_((who,), target["actions"][left].float(), accumulate=True).clamp_(max=1)
        # An empty box was never there.
        return people, int((~left & (_area(whole) > 0)).sum())


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(-1)
