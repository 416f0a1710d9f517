"""What an evaluation has found, put together over batches and processes."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from vidattn.detection.found import FrameBoxes
from vidattn.models.actions import Ratio

HEAD = 7  # columns before the scores: video, frame, query, and the box


class FoundPeople(Metric):
    """Boxes with their scores on each frame that was answered for, of all processes.

    Args:
        num_actions: C.
    """

    full_state_update = False
    rows: list[Tensor]

    def __init__(self, num_actions: int) -> None:
        super().__init__()
        self.width = HEAD + num_actions
        self.add_state("rows", [], dist_reduce_fx="cat")

    def update(self, boxes: Tensor, scores: Tensor, video: Tensor, frames: Tensor) -> None:
        """Add B clips; those of no clips, too.

        Args:
            boxes: `(B, Q, K, 4)`, corners in fractions of the picture.
            scores: `(B, Q, K, C)`.
            video: `(B,)` numbers.
            frames: `(B, K)` numbers within the file; -1 where the clip does not answer.
        """
        clip, asked = (frames >= 0).nonzero(as_tuple=True)
        count = boxes.shape[1]
        head = torch.stack((video[clip], frames[clip, asked]), dim=-1)[:, None].expand(-1, count, -1)
        query = torch.arange(count, device=boxes.device)[None, :, None].expand(len(clip), -1, -1)
        # float64: numbers of frames and videos stay whole.
        parts = [head, query, boxes[clip, :, asked], scores[clip, :, asked]]
        self.rows.append(torch.cat([part.double() for part in parts], dim=-1).flatten(0, 1))

    def compute(self) -> list[FrameBoxes]:
        """The frames, by video and number; `video` is still its number, as text. A frame that several clips answered
        for holds what all have found."""
        rows = torch.cat(self.rows) if isinstance(self.rows, list) else self.rows
        rows = rows.cpu()
        keys, counts = rows[:, :2].unique(dim=0, return_counts=True)
        order = rows[:, 2].argsort(stable=True)
        for column in (1, 0):
            order = order[rows[order, column].argsort(stable=True)]
        pieces = rows[order].float().split(counts.tolist())
        return [
            FrameBoxes(str(int(video)), int(frame), piece[:, 3:HEAD].numpy(), piece[:, HEAD:].numpy())
            for (video, frame), piece in zip(keys.tolist(), pieces, strict=True)
        ]


class LossSums(Metric):
    """The parts of a loss over all that is evaluated, summed up before they are divided: batches make no difference.

    Args:
        names: of the parts, each with the number of its ratios; see `vidattn.models.actions.Actions.losses`.
    """

    full_state_update = False
    totals: Tensor
    overs: Tensor

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = list(names)
        shape = (len(self.names), 2, 1)
        self.add_state("totals", torch.zeros(shape).double(), dist_reduce_fx="sum")
        self.add_state("overs", torch.zeros(shape).double(), dist_reduce_fx="sum")

    def update(self, terms: dict[str, list[Ratio]]) -> None:
        """Add a batch's ratios, at most two a part, summed over its layers."""
        for row, name in enumerate(self.names):
            for column, ratio in enumerate(terms.get(name, ())):
                self.totals[row, column] += ratio.total.detach().sum().double()
                self.overs[row, column] += ratio.over[0].double()

    def compute(self) -> dict[str, list[Ratio]]:
        """The ratios of all, each of one layer that stands for all."""
        found: dict[str, list[Ratio]] = {}
        for row, name in enumerate(self.names):
            pairs = zip(self.totals[row], self.overs[row], strict=True)
            found[name] = [Ratio(total.float(), over.float()) for total, over in pairs if over > 0]
        return {name: ratios for name, ratios in found.items() if ratios}
