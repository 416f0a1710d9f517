"""Mixup and cutmix of clips: torchvision's transforms, with all frames of a clip mixed in the same way."""

import torch
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2

from vidattn.mistakes import Mistake


class Mixing(nn.Module):
    """Mixup or cutmix, one drawn per batch. https://arxiv.org/abs/1710.09412 and https://arxiv.org/abs/1905.04899.

    A clip is mixed with one of another video, unless most clips of the batch are its own video's.

    Args:
        num_classes: width of the label vectors.
        mixup_alpha: of mixup's Beta distribution; 0 switches it off.
        cutmix_alpha: of cutmix's Beta distribution; 0 switches it off. One box for all frames of the batch.
        probability: of mixing a batch at all.

    Raises:
        ValueError: an alpha is negative or not finite.
    """

    def __init__(self, num_classes: int, mixup_alpha: float, cutmix_alpha: float, probability: float = 1.0) -> None:
        super().__init__()
        for name, alpha in (("mixup_alpha", mixup_alpha), ("cutmix_alpha", cutmix_alpha)):
            if not 0 <= alpha < float("inf"):
                raise Mistake(f"{name}={alpha} must be 0 (none) or more, and finite")
        self.num_classes, self.probability = num_classes, probability
        self.choices: list[v2.Transform] = []
        with torch.device("cpu"):  # v2 builds a distribution, which a network built on the meta device cannot hold
            if mixup_alpha:
                self.choices.append(v2.MixUp(alpha=mixup_alpha, num_classes=num_classes))
            if cutmix_alpha:
                self.choices.append(v2.CutMix(alpha=cutmix_alpha, num_classes=num_classes))

    def forward(self, video: Tensor, labels: Tensor, video_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Clips `(B, 3, T, H, W)`, labels and video numbers `(B,)` -> mixed clips and label vectors `(B, K)` that sum
        to 1."""
        if not self.choices or torch.rand(()) >= self.probability:
            return video, nn.functional.one_hot(labels, self.num_classes).to(video.dtype)
        mix = self.choices[int(torch.randint(len(self.choices), ()))]
        order = apart(video_ids)
        mixed, targets = mix(tv_tensors.Video(video[order].transpose(1, 2)), labels[order])
        back = order.argsort()
        return mixed.as_subclass(Tensor).transpose(1, 2)[back], targets[back]


def apart(video_ids: Tensor) -> Tensor:
    """An order in which the clip before each one (the last before the first) is of another video: the transforms mix
    such neighbours. Distinct videos stay as they are. A video with more than half of the clips meets itself.

    >>> apart(torch.tensor([4, 4, 9, 9, 7, 7])), apart(torch.tensor([4, 9, 4, 7]))
    (tensor([0, 2, 4, 1, 3, 5]), tensor([0, 1, 2, 3]))
    """
    alike = video_ids[:, None] == video_ids
    counts, first = alike.sum(1), alike.int().argmax(1)
    grouped = (first - len(video_ids) * counts).argsort(stable=True)  # video by video, that of most clips first
    # Clips of one video stand at most `counts.max()` apart there, so that strides of that length never meet it twice.
    return grouped[(torch.arange(len(grouped), device=grouped.device) % counts.max()).argsort(stable=True)]
