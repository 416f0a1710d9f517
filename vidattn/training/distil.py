"""Training with a teacher: beside the labels, what a trained network says of the same clips."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Literal

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn

from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.network import Features, Network, NetworkConfig
from vidattn.models.normalize import Normalization, Normalize
from vidattn.training.classification import Classification
from vidattn.training.label_agreement import check_teacher_names
from vidattn.training.lessons import Comparison, Lesson, Pass, TeachLogits
from vidattn.training.map_lesson import TeachMaps
from vidattn.training.objective import Objective, OneLabel
from vidattn.training.parameter_groups import OneRate, ParameterGroups
from vidattn.training.schedule import Constant, Schedule, check_not_negative
from vidattn.training.teacher import Teacher

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Distillation(Classification):
    """A network learns from labels and from a teacher: any trained network, also of another scheme, depth, width,
    number of heads, frames or size of patches.

    The teacher is frozen and in evaluation mode, and sees the very clips that the student sees, mixed where these are
    mixed, by its own normalisation; where it is made for another number of frames or another size, clips are resampled
    (`vidattn.training.teacher`). Its weights do not go into checkpoints, so that it must still be where it was when a
    training goes on.

    Args:
        network: the student's configuration; see `VideoModule`, as for the others.
        teacher: what `vidattn.load` reads.
        lessons: what is to be learnt of it, each with its weight; its answers and its maps by default.
        label_weight: factor on the loss of the labels; 0 leaves the teacher alone to say what is right.
        teacher_dtype: of the teacher's weights and of what it computes, whatever the trainer's precision is.
        optimizer: makes an optimizer from parameter groups.
        schedule: learning rate over the epochs.
        normalization: mean and std of the pixels, by name; those of `weights`, or the teacher's, where None.
        objective: one class a video, or several.
        label_smoothing: the objective's.
        mixup_alpha: mixup of each batch with this Beta parameter; 0 for none.
        cutmix_alpha: likewise cutmix.
        weights: what the student starts from.
        groups: which parameters decay, and which learn more slowly.
        head_scale: factor on the weights of a head that starts fresh.

    Raises:
        ValueError: an argument is out of range, or student and teacher have nothing in common that a lesson could
            compare; said before any data is read.
    """

    def __init__(
        self,
        network: VideoTransformerConfig | NetworkConfig,
        teacher: str,
        lessons: Sequence[Lesson] = (TeachLogits(), TeachMaps()),
        label_weight: float = 1.0,
        teacher_dtype: Literal["float32", "bfloat16"] = "float32",
        optimizer: OptimizerCallable = torch.optim.AdamW,
        schedule: Schedule = Constant(),  # noqa: B008  (frozen)
        normalization: Normalization | None = None,
        objective: Objective = OneLabel(),  # noqa: B008  (frozen)
        label_smoothing: float = 0.0,
        mixup_alpha: float = 0.0,
        cutmix_alpha: float = 0.0,
        weights: str | None = None,
        groups: ParameterGroups = OneRate(),  # noqa: B008  (frozen)
        head_scale: float = 1.0,
    ) -> None:
        check_not_negative(label_weight=label_weight)
        super().__init__(
            network, optimizer, schedule, normalization, objective, label_smoothing, mixup_alpha, cutmix_alpha, weights,
            groups=groups, head_scale=head_scale,
        )  # fmt: skip
        if not lessons:
            raise Mistake("lessons is empty, so that the teacher has nothing to say; take vidattn.VideoClassifier")
        names = [lesson.name for lesson in lessons]
        if len(set(names)) < len(names):
            raise Mistake(f"lessons={names}: each kind once")
        self.label_weight = label_weight
        self.teacher = Teacher(teacher, DTYPES[teacher_dtype])
        self.teacher.clip_of(network.num_frames, *network.size)
        if normalization is None and weights is None:
            self.normalize = Normalize(**self.teacher.normalize.values())
        self.lessons = list(lessons)
        if objective.multi_label and "logits" in names:
            raise Mistake("TeachLogits is for one label a video; leave it out of model.lessons")
        self.comparisons = nn.ModuleList(lesson.build(self.network, self.teacher) for lesson in lessons)
        self.parts: dict[str, Tensor] = {}

    @property
    def compared(self) -> list[Comparison]:
        """What compares the two, in the order of the lessons."""
        return list(self.comparisons)  # type: ignore[arg-type]

    @property
    def sharded(self) -> list[nn.Module]:
        """The student, and what of the comparisons is trained with it."""
        own = [part for comparison in self.compared for part in comparison.children()]
        return [self.network, *(part for part in own if any(True for _ in part.parameters()))]

    def setup(self, stage: str) -> None:
        """Check that the teacher's classes are the data's, where its answers count.

        Raises:
            ValueError: they are not.
        """
        super().setup(stage)
        if stage == "fit" and any(lesson.name == "logits" for lesson in self.lessons):
            check_teacher_names(self.class_names, self.teacher.class_names)

    def learn(self, video: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and the loss: that of the labels and that of each lesson, times their weights."""
        taught = self.taught(video)
        with ExitStack() as watched:
            for comparison in self.compared:
                watched.enter_context(comparison.student_runs(video, self.global_step))
            learnt = run(self.network, video)
        labels = self.objective.loss(learnt.logits.float(), targets)
        self.parts, loss = {"labels": labels.detach()}, self.label_weight * labels
        for lesson, comparison in zip(self.lessons, self.compared, strict=True):
            part = comparison(learnt, taught)
            self.parts[lesson.name] = part.detach()
            loss = loss + lesson.weight * part
        return learnt.logits, loss

    @torch.no_grad()
    def taught(self, video: Tensor) -> Pass:
        """What the teacher makes of normalised clips of the student's, `(B, 3, T, H, W)`."""
        self.teacher.to(video.device)
        with torch.autocast(video.device.type, enabled=False), ExitStack() as watched:
            clips = self.teacher.see(video, self.normalize)
            for comparison in self.compared:
                watched.enter_context(comparison.teacher_runs(clips, self.global_step))
            return run(self.teacher.network, clips)

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """The loss of the batch; each part of it is logged without its weight, as `train/labels`, `train/maps` and so
        on."""
        loss = super().training_step(batch, batch_idx)
        self.log_dict(
            {f"train/{name}": part for name, part in self.parts.items()},
            on_step=False,
            on_epoch=True,
            batch_size=len(batch["label"]),
            sync_dist=True,
        )
        return loss

    def on_after_backward(self) -> None:
        """Let go of what the backward pass needed."""
        for comparison in self.compared:
            comparison.release()


def run(network: Network, clips: Tensor) -> Pass:
    """Logits of a forward pass, and the features on the way to them."""
    kept: list[Features] = []
    plain = network.features

    def features(*args: Any, **settings: Any) -> Features:
        kept.append(plain(*args, **settings))
        return kept[-1]

    network.features = features  # type: ignore[method-assign]
    try:
        logits = network(clips)
    finally:
        del network.features
    return Pass(clips, kept[0], logits)
