import re

import pytest
from list_files import write

from vidattn.data.videos.manifest import read_manifest
from vidattn.data.videos.remarks import remarks
from vidattn.data.videos.splits import Splits


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([1, 2, 3], "no video has label 0: do your labels begin with 1?"),
        ([0, 2, 7], "no video has labels 1, 3, 4, 5, 6$"),
        ([2, 4], "no video has labels 0, 1, 3; do your labels begin with 1?"),
    ],
)
def test_numbers_that_no_video_has_are_named(folder, numbers, said):
    manifest = read_manifest(write(folder / "t.txt", *(f"v{place}.mp4 {n}" for place, n in enumerate(numbers))))

    (line,) = remarks("train", manifest)
    assert re.search(said, line)


def test_a_list_of_several_labels_in_which_no_video_has_any_is_said(folder):
    rows = ("v0.mp4,cat+dog", "v1.mp4,cow+pig")
    manifest = read_manifest(write(folder / "t.csv", *rows), multi_label=True)

    assert list(remarks("train", manifest)) == [
        "data.train: no video has several labels ('cat+dog' is one); several stand as cat;dog or 1;3"
    ]
    several = read_manifest(write(folder / "t.csv", "v0.mp4,cat;dog", "v1.mp4,cow"), multi_label=True)
    assert not list(remarks("train", several))
    assert not list(remarks("train", read_manifest(folder / "t.csv")))


def test_classes_that_differ_in_case_are_two_and_said(folder):
    manifest = read_manifest(write(folder / "t.csv", "v0.mp4,Cat", "v1.mp4,cat", "v2.mp4,a", "v3.mp4,A"))

    assert len(manifest.class_names) == 4
    assert list(remarks("train", manifest)) == ["data.train: classes 'Cat' and 'cat' differ in little; are they one?"]


def test_a_video_in_two_lists_or_twice_in_one_is_said_once(folder):
    write(folder / "train.csv", "v0.mp4,a", "v1.mp4,b", "v1.mp4,b", "v2.mp4,a", "./v2.mp4,b")
    write(folder / "val.csv", "v0.mp4,a", "v3.mp4,b")
    said = []
    splits = Splits({"train": str(folder / "train.csv"), "val": str(folder / "val.csv")}, warn=said.append)
    for split in ("train", "val", "train", "val"):
        splits.manifest(split)

    assert said == [
        f"data.train: 2 videos stand there more than once, 1 of them with different labels: {folder}/v1.mp4 ...",
        f"data.val: 1 video is in data.train as well: {folder}/v0.mp4",
    ]


def test_numbers_of_a_list_that_count_the_names_of_another_are_said(folder):
    write(folder / "train.csv", "v0.mp4,cat", "v1.mp4,dog")
    write(folder / "val.csv", "v2.mp4,0", "v3.mp4,1")
    said = []
    splits = Splits({"train": str(folder / "train.csv"), "val": str(folder / "val.csv")}, warn=said.append)
    splits.manifest("val")

    (line,) = said
    assert "data.val has numbers as labels; they count through the names of data.train, from 0 for 'cat' to 1" in line
