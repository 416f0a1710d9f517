import re

import numpy as np
import pytest
import torch
from torch import nn

from vidattn.data import VideoDataModule
from vidattn.data.clips.sampling import StrideSampling
from vidattn.training.label_agreement import check_count, count_as_checkpoint, head_by_name, names_in_checkpoint
from vidattn.training.permuted import explained_by_order

NAMES = ["ant", "bee", "cat", "dog"]


def data(folder, rows, split="test", **options):
    for row in rows:
        (folder / row.partition(",")[0]).touch()
    (folder / f"{split}.csv").write_text("\n".join(rows))
    return VideoDataModule(StrideSampling(4, 1), **{split: str(folder / f"{split}.csv")}, num_workers=0, **options)


@pytest.mark.parametrize("rows", [["a.mp4,cat", "b.mp4,ant"], ["a.mp4,dog", "b.mp4,cat", "c.mp4,bee", "d.mp4,ant"]])
def test_a_list_with_some_of_the_checkpoints_names_counts_as_the_checkpoint_does(tmp_path, rows):
    module, said = data(tmp_path, rows), []

    count_as_checkpoint(module, "test", NAMES, said.append)

    assert module.class_names == NAMES
    listed = [row.partition(",")[2] for row in rows]
    assert [NAMES[video.label] for video in module.manifest("test").videos] == listed
    assert said == (["data.test: 2 of the checkpoint's 4 classes have videos, not bee, dog"] if len(rows) == 2 else [])


def test_numbers_count_the_names_of_their_own_list_whatever_the_checkpoints_order(tmp_path):
    module = data(tmp_path, ["a.mp4,0", "b.mp4,3"], class_names=["dog", "cat", "bee", "ant"])

    count_as_checkpoint(module, "test", NAMES, lambda _: None)

    assert [NAMES[video.label] for video in module.manifest("test").videos] == ["dog", "ant"]


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (
            "0123",
            NAMES,
            r"numbers as labels, the checkpoint has names, .* in the order in which this list",
        ),
        (NAMES, ["0", "1", "2", "3"], "has names, and the checkpoint only numbers its 4 classes"),
        (["Cat", "ant"], NAMES, "'Cat' is none of the 4 known classes; did you mean 'cat'"),
    ],
)
def test_labels_that_cannot_be_tied_to_the_checkpoints_classes_are_refused(tmp_path, labels, names, message):
    module = data(tmp_path, [f"{place}.mp4,{label}" for place, label in enumerate(labels)])

    with pytest.raises(ValueError, match=message):
        count_as_checkpoint(module, "test", names, lambda _: None)


def head(rows):
    network = nn.Module()
    network.head = nn.Linear(3, rows)
    return network


@pytest.mark.parametrize("order", [[3, 2, 1, 0], [1, 2, 3, 0], [0, 1, 3, 2]])
def test_a_head_is_rearranged_by_name(order):
    network = head(4)
    weight, bias = (parameter.detach().clone() for parameter in network.head.parameters())

    said = head_by_name(network, NAMES, [NAMES[place] for place in order])

    assert said.startswith("head: rearranged by name")
    assert torch.equal(network.head.weight, weight[order])
    assert torch.equal(network.head.bias, bias[order])


@pytest.mark.parametrize("ours", [["run", "sit", "eat", "nap"], ["ant", "bee", "cat", "Dog"]])
def test_a_head_of_other_classes_starts_anew(ours):
    network = head(4)
    weight = network.head.weight.detach().clone()

    said = head_by_name(network, NAMES, ours)

    assert re.match("head: starts anew, the weights have [03] of the 4 classes", said)
    assert not torch.equal(network.head.weight, weight)
    assert network.head.bias.eq(0).all()


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        (NAMES, NAMES, ""),
        (["ant", "big_bee"], ["ant", "big  bee"], ""),
        ([], NAMES, ""),
        (NAMES, ["0", "1", "2", "3"], "head: kept, and the labels are numbers: 0 is taken for 'ant', 3 for 'dog'"),
        (
            ["LABEL_0", "LABEL_1"],
            ["b", "a"],
            "head: kept, and the weights only number .*",
        ),
    ],
)
def test_a_head_of_the_same_classes_or_of_numbers_is_kept_and_the_latter_said(theirs, ours, said):
    network = head(max(len(theirs), len(ours)))
    weight = network.head.weight.detach().clone()

    assert re.fullmatch(said, head_by_name(network, theirs, ours))
    assert torch.equal(network.head.weight, weight)


@pytest.mark.parametrize(
    ("numbers", "given", "message"),
    [
        ([1, 2, 3], 3, "4 classes but num_classes=3: the largest label is 3, and no video has label 0: do your labels"),
        ([0, 2, 7], 3, "8 classes but num_classes=3; no video has labels 1, 3, 4, 5, 6; set .*num_classes 8"),
        ([0, 1], 5, "2 classes but num_classes=5; set --model.network.num_classes 2"),
    ],
)
def test_another_number_of_classes_is_refused_with_the_numbers_that_no_video_has(tmp_path, numbers, given, message):
    module = data(tmp_path, [f"{place}.mp4,{number}" for place, number in enumerate(numbers)], "train")

    with pytest.raises(ValueError, match=message):
        check_count(module, given)


def test_another_number_of_classes_is_refused_with_the_form_of_several_labels_where_no_video_has_any(tmp_path):
    module = data(tmp_path, ["a.mp4,cat+dog", "b.mp4,ant+bee", "c.mp4,cow+hen"], "train", multi_label=True)

    with (
        pytest.warns(UserWarning, match="no video has several labels"),
        pytest.raises(ValueError, match=r"no video has several labels .*; several stand as cat;dog .*; set .* 3"),
    ):
        check_count(module, 6)


def test_the_names_in_a_checkpoint_are_found_and_other_files_have_none(tmp_path):
    torch.save({"vidattn": {"class_names": NAMES}, "state_dict": {"a": torch.zeros(3)}}, tmp_path / "a.ckpt")
    torch.save([1, 2], tmp_path / "b.ckpt")
    (tmp_path / "c.ckpt").write_text("no checkpoint")

    assert names_in_checkpoint(str(tmp_path / "a.ckpt")) == NAMES
    assert [names_in_checkpoint(path) for path in (str(tmp_path / "b.ckpt"), str(tmp_path / "c.ckpt"), None)] == [
        [],
        [],
        [],
    ]


@pytest.mark.parametrize("classes", [2, 5, 40])
@pytest.mark.parametrize("noise", [0, 1])
def test_answers_in_another_order_are_told_from_wrong_ones(classes, noise):
    random = np.random.default_rng(classes)
    names = [f"c{number}" for number in range(classes)]
    shifted = np.roll(np.eye(classes, dtype=int) * 9, 1, axis=1) + noise * (random.random((classes, classes)) < 0.05)

    assert "in another order of the classes" in explained_by_order(shifted, names)
    assert "would be right, not" in explained_by_order(shifted, names)
    assert explained_by_order(shifted.T @ shifted, names) == ""  # on the diagonal
    for videos in (1, 2, 3, 10):  # by chance
        answers = random.integers(0, classes, (classes, videos))
        chance = np.stack([np.bincount(row, minlength=classes) for row in answers])
        if classes > 2:
            assert explained_by_order(chance, names) == ""
