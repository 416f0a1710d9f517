"""Whether the data have labels, and mean the same by them as the checkpoint."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vidattn.attention.parts import VIT_STD
from vidattn.data.lists.class_names import ClassNames, numbers_alone, spelling
from vidattn.data.videos.remarks import never_several, unused_classes
from vidattn.mistakes import Mistake
from vidattn.wording import counted


def check_same_names(data: Sequence[str], checkpoint: Sequence[str]) -> None:
    """Compare the names of the classes, as far as both have any.

    Raises:
        Mistake: they differ, or stand in another order: every label would be wrong.
    """
    for label, (ours, theirs) in enumerate(zip(data, checkpoint, strict=False)):
        if spelling(ours) != spelling(theirs):
            raise Mistake(
                f"class {label} is {ours!r} in the data but {theirs!r} in the checkpoint; set data.class_names to the "
                f"checkpoint's if the lists have names as labels (numbers would count these): {list(checkpoint)}"
            )


def check_teacher_names(data: Sequence[str], teacher: Sequence[str]) -> None:
    """Compare the names of the classes, as far as both have names and not numbers alone.

    Raises:
        Mistake: they differ, or stand in another order: the teacher would teach wrong answers.
    """
    if numbers_alone(data) or numbers_alone(teacher):
        return
    for label, (ours, theirs) in enumerate(zip(data, teacher, strict=False)):
        if spelling(ours) != spelling(theirs):
            raise Mistake(
                f"class {label} is {ours!r} in the data but {theirs!r} to the teacher, whose answers would be wrong; "
                f"set data.class_names to the teacher's if the lists have names as labels: {list(teacher)}; or leave "
                "TeachLogits out of model.lessons"
            )


def check_count(data: Any, num_classes: int) -> None:
    """
    Raises:
        Mistake: the data has more or fewer classes than the network's head.
    """
    count = len(data.class_names)
    if count == num_classes:
        return
    has = f"the data has {counted(count, 'class', 'classes')} but num_classes={num_classes}"
    train = data.manifest("train") if data.sources.get("train") else None
    unused = unused_classes(train) if train else ""
    if "begin with 1" in unused:
        raise Mistake(f"{has}: the largest label is {count - 1}, and {unused}")
    told = [unused, never_several(train) if train else "", f"set --model.network.num_classes {count}"]
    raise Mistake("; ".join([has, *filter(None, told)]))


def check_labelled(data: Any, split: str) -> None:
    """
    Raises:
        Mistake: the split is given, but none of its videos has a class.
    """
    if not data.sources.get(split) or data.manifest(split).labelled:
        return
    source = data.sources[split]
    if split == "train":
        need = "and training needs them; give a folder for each class, or a list with a label in each row"
    else:
        need = f"so nothing can be scored; give a list with labels, or data.{split}=null and vidattn predict the videos"
    raise Mistake(f"data.{split}={source} has no labels, {need}")


def names_in_checkpoint(checkpoint: str | None) -> list[str]:
    """The names of the classes in a checkpoint of `vidattn fit`; none where it has none, or lies elsewhere."""
    if checkpoint is None or not zipfile.is_zipfile(checkpoint):
        return []
    found = torch.load(Path(checkpoint), map_location="cpu", weights_only=True, mmap=True)  # the tensors stay there
    described = found.get("vidattn", {}) if isinstance(found, dict) else {}
    return [str(name) for name in described.get("class_names", [])]


def count_as_checkpoint(data: Any, split: str, names: Sequence[str], say: Callable[[str], object]) -> None:
    """Let the labels of a list to be evaluated count the checkpoint's classes, each found by its name.

    The list may have fewer of them, in any order. Numbers count through the names that are given for the list.

    Args:
        data: a `VideoDataModule`.
        split: "val" or "test".
        names: the checkpoint's; nothing is done where there are none.
        say: takes what is to be said of classes that no video has.

    Raises:
        Mistake: the list has a class that the checkpoint does not have; or one of the two has numbers only, so that
            nothing tells which class is meant.
    """
    if not names or not data.sources.get(split) or not data.manifest(split).labelled:
        return
    own = list(data.class_names)
    if own == list(names):
        return
    source = data.manifest(split).source
    if numbers_alone(own) and not numbers_alone(names):
        raise Mistake(
            f"data.{split}={source} has numbers as labels, the checkpoint has names, and nothing says which number is "
            "which: set data.class_names to the names in the order in which this list numbers them (or to a file). "
            f"The checkpoint's order is {_shown(names)}; another one would make every answer wrong"
        )
    if numbers_alone(names) and not numbers_alone(own):
        raise Mistake(
            f"data.{split}={source} has names, and the checkpoint only numbers its {len(names)} classes; give a list "
            "with the numbers that it was trained on"
        )
    data.splits.count_as(names)
    held = {label for video in data.manifest(split).videos for label in (video.label, *video.labels)}
    if absent := [name for label, name in enumerate(names) if label not in held]:
        have = len(names) - len(absent)
        say(f"data.{split}: {have} of the checkpoint's {len(names)} classes have videos, not {_shown(absent)}")


def head_by_name(network: nn.Module, theirs: Sequence[str], ours: Sequence[str]) -> str:
    """Put the rows of the head into the order of our classes, or start it anew where the classes are others.

    Args:
        network: has its head in `head`, a linear layer with a row for each class.
        theirs: what the weights call the classes, in the order of their head; empty where they do not say.
        ours: what the data calls them.

    Returns:
        What was done, in a sentence; empty where the names are the same or there is no head to be looked at.
    """
    head = getattr(network, "head", None)
    if not isinstance(head, nn.Linear) or not theirs or len(theirs) != len(ours):
        return ""
    if list(map(spelling, theirs)) == list(map(spelling, ours)):
        return ""
    if numbers_alone(theirs) or numbers_alone(ours):
        who = "the weights only number their classes" if numbers_alone(theirs) else "the labels are numbers"
        named = theirs if numbers_alone(ours) else ours
        return f"head: kept, and {who}: 0 is taken for {named[0]!r}, {len(named) - 1} for {named[-1]!r}"
    known = ClassNames(theirs, numbered=False)
    places = [place for name in ours if (place := known.find(name)) is not None]
    if sorted(places) == list(range(len(ours))):
        with torch.no_grad():
            for parameter in head.parameters():
                parameter.copy_(parameter[places].clone())
        return f"head: rearranged by name, the weights have the {len(ours)} classes in another order"
    nn.init.trunc_normal_(head.weight, std=VIT_STD)
    if head.bias is not None:
        nn.init.zeros_(head.bias)
    other = next(name for name in ours if known.find(name) is None)
    return f"head: starts anew, the weights have {len(places)} of the {len(ours)} classes (not {other!r})"


def _shown(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (" ..." if len(names) > most else "")
