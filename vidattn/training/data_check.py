"""Whether data and task go together, said before the first step; needs no Trainer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vidattn.mistakes import Mistake
from vidattn.training.label_agreement import check_count, check_labelled, check_same_names

SPLITS = {"fit": "val", "validate": "val", "test": "test", "predict": "predict"}
"""What is evaluated, by the words of the command line."""


@dataclass(frozen=True)
class Labels:
    """What a task reads out of the labels of a list.

    Args:
        num_classes: as many as the network's head has.
        several: a video may have any number of them.
        names: of the classes, in the order of the head; empty where nobody knows them yet.
    """

    num_classes: int
    several: bool = False
    names: Sequence[str] = ()


def check_data(data: Any, stage: str, processes: int = 1, labels: Labels | None = None) -> None:
    """Whether a task can be trained (`stage` "fit") or evaluated ("validate", "test", "predict") on `data`.

    Args:
        data: a `VideoDataModule`.
        stage: the command.
        processes: that share the work.
        labels: what the task needs of labels; None where it needs none.

    Raises:
        ValueError: the data has fewer videos to evaluate than processes, no labels, another number of classes than the
            network's head, other names than the weights, or several labels a video where the task wants one.
    """
    # A look-up: of Lightning's stage the text in a message would be TrainerFn.TESTING.
    split = SPLITS[stage]
    if data.sources[split] and (videos := data.num_videos(split)) < processes:
        # Lightning skips the evaluation in a process that has none, and the others wait for it for ever.
        raise Mistake(
            f"data.{split} has fewer videos ({videos}) than there are processes ({processes}), and each needs one; "
            f"set trainer.devices to {videos} or less"
        )
    if stage == "predict" or labels is None:
        return
    for needed in ("train", "val") if stage == "fit" else (split,):
        check_labelled(data, needed)
    check_count(data, labels.num_classes)
    several = data.manifest("train" if stage == "fit" else split).multi_label
    if several != labels.several:
        raise Mistake(
            f"the lists have {'several labels' if several else 'one label'} a video; set --model.objective "
            f"vidattn.training.objective.{'MultiLabel' if several else 'OneLabel'}"
            f"{'' if several else ', or data.multi_label to true if a video may have several'}"
        )
    if stage != "fit":
        check_same_names(data.class_names, labels.names)
