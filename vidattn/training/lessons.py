"""What a student is to have in common with its teacher: answers, features. Maps of attention are in `map_lesson`."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.parts import linear
from vidattn.checks import check_above_zero
from vidattn.mistakes import Mistake
from vidattn.models.network import Features, Network
from vidattn.training.same_grid import on_grid
from vidattn.training.teacher import Teacher


class Pass(NamedTuple):
    """What a network has made of a batch.

    Args:
        clips: as it took them, `(B, 3, T, H, W)`.
        features: of its last block.
        logits: `(B, K)`.
    """

    clips: Tensor
    features: Features
    logits: Tensor


class Comparison(nn.Module, ABC):
    """How far a student is from its teacher in one respect; may have weights of its own, which are trained."""

    def teacher_runs(self, clips: Tensor, turn: int) -> AbstractContextManager:
        """Entered while the teacher runs.

        Args:
            clips: as it takes them.
            turn: number of the training step.
        """
        return nullcontext()

    def student_runs(self, clips: Tensor, turn: int) -> AbstractContextManager:
        """Entered while the student runs; likewise."""
        return nullcontext()

    def release(self) -> None:
        """Called behind the backward pass: what was needed for it can go."""

    @abstractmethod
    def forward(self, student: Pass, teacher: Pass) -> Tensor:
        """The loss, a scalar; gradients flow into the student alone."""


@dataclass(frozen=True)
class Lesson(ABC):
    """What is to be learnt of a teacher, and how much it counts.

    Args:
        weight: factor on its loss.

    Raises:
        ValueError: `weight` is not above 0.
    """

    name: ClassVar[str]
    """Under which its loss is logged."""

    weight: float = 1.0

    def __post_init__(self) -> None:
        check_above_zero(weight=self.weight)

    @abstractmethod
    def build(self, student: Network, teacher: Teacher) -> Comparison:
        """What compares the two.

        Raises:
            ValueError: they have nothing in common that could be compared; said before any data is read.
        """


@dataclass(frozen=True)
class TeachLogits(Lesson):
    """The teacher's probabilities, softened: `T^2 KL(softmax(teacher / T) || softmax(student / T))`.

    Distilling the Knowledge in a Neural Network, https://arxiv.org/abs/1503.02531, section 2, where `T^2` keeps the
    gradients in scale with those of the labels. The mean over the clips.

    Args:
        weight: factor on its loss.
        temperature: T; the higher, the more the wrong classes tell.

    Raises:
        ValueError: a number is not above 0.
    """

    name = "logits"
    temperature: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_above_zero(temperature=self.temperature)

    def build(self, student: Network, teacher: Teacher) -> Comparison:
        """
        Raises:
            ValueError: the teacher has another number of classes, or nobody has trained its head.
        """
        ours, theirs = student.config.num_classes, teacher.config.num_classes
        if teacher.head_is_fresh:
            raise Mistake(
                f"the teacher {teacher.source} has no trained head, so that its answers are random; leave TeachLogits "
                "out of model.lessons, or fine-tune the teacher first"
            )
        if ours != theirs:
            raise Mistake(
                f"the teacher {teacher.source} has {theirs} classes and the student {ours}; take a teacher of the same "
                "classes, or leave TeachLogits out of model.lessons (maps and features need no common classes)"
            )
        return SoftLabels(self.temperature)


class SoftLabels(Comparison):
    """See `TeachLogits`."""

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, student: Pass, teacher: Pass) -> Tensor:
        """The divergence, times `T^2`."""
        wanted = (teacher.logits.float() / self.temperature).log_softmax(1)
        found = (student.logits.float() / self.temperature).log_softmax(1)
        return self.temperature**2 * F.kl_div(found, wanted, reduction="batchmean", log_target=True)


@dataclass(frozen=True)
class TeachFeatures(Lesson):
    """The teacher's tokens behind its last block: the mean squared distance from them to the student's.

    FitNets, https://arxiv.org/abs/1412.6550, section 2.2: a linear layer, trained with the student, makes the student's
    width the teacher's where they differ. The teacher's tokens are first put on the student's grid (averaged over what
    a student's token covers) and normed without parameters, so that a distance of 1 is no likeness at all
    (https://arxiv.org/abs/2205.14141, section 3). Prefix tokens are left out.
    """

    name = "features"

    def build(self, student: Network, teacher: Teacher) -> Comparison:
        """For any two networks."""
        widths = student.num_features, teacher.network.num_features
        return TokenDistance(nn.Identity() if widths[0] == widths[1] else linear(*widths))


class TokenDistance(Comparison):
    """See `TeachFeatures`.

    Args:
        project: from the student's width to the teacher's.
    """

    def __init__(self, project: nn.Module) -> None:
        super().__init__()
        self.project = project

    def forward(self, student: Pass, teacher: Pass) -> Tensor:
        """The mean squared distance."""
        found = self.project(student.features.video)
        wanted = on_grid(teacher.features.video.float(), student.features.grid)
        with torch.no_grad():
            wanted = F.layer_norm(wanted, wanted.shape[-1:])
        return F.mse_loss(found.float(), wanted)
