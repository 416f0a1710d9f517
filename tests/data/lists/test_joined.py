from pathlib import Path

import pytest
from list_files import labels, write

from vidattn.data.lists.joined import check_joined_names
from vidattn.data.videos.manifest import ManifestError, read_manifest


@pytest.mark.parametrize(
    "cells",
    [
        ("cat+dog", "cat", "dog"),
        ("cat & dog", "cat", "dog"),
        ("cat/dog", "cat", "dog"),
        ("cat dog", "cat", "dog"),
        ("cat and Dog", "cat", "Dog"),
        ("cat-dog", "cat", "dog"),
        ("cat+dog", "dog+cow", "cow+cat"),
        ("cat|dog", "cat;cow", "dog"),
        ("1+3", "0", "3"),
        ("1/3", "0", "3"),
        ("1-3", "0", "3"),
        ("1 0 0", "0 1 0", "0 0 1"),
        ("[1, 0, 0]", "[0, 1, 1]", "[0, 0, 1]"),
    ],
)
def test_several_labels_in_another_form_are_refused_with_the_form(folder, cells):
    source = write(folder / "t.txt", *(f"v{place}.mp4 {cell}" for place, cell in enumerate(cells)))

    with pytest.raises(ManifestError, match=r"expected several labels as cat;dog or 1;3 .*\n  line 1: "):
        read_manifest(source, multi_label=True)


@pytest.mark.parametrize(
    "cells",
    [
        ("jump rope", "jump;jump rope", "rope"),  # the list has a sign that parts
        ("c++", "c", "java"),
        ("TV/radio", "TV", "oven"),
        ("1 3", "0", "3"),
        ("0 1", "1 0", "0 1"),
    ],
)
def test_names_that_hold_a_sign_are_names_where_nothing_shows_parts(folder, cells):
    source = write(folder / "t.txt", *(f"v{place}.mp4 {cell}" for place, cell in enumerate(cells)))

    found = labels(read_manifest(source, multi_label=True))

    assert all(set(parts) <= set(cell.split(";")) | set(cell.split()) for parts, cell in zip(found, cells, strict=True))


def test_names_that_are_given_are_names():
    rows = [("line 1", ("cat+dog",)), ("line 2", ("cat",)), ("line 3", ("dog",))]

    check_joined_names(Path("t.csv"), rows, known=["cat+dog", "cat", "dog"])
    with pytest.raises(ManifestError, match=r"give all names in data\.class_names:\n  line 1$"):
        check_joined_names(Path("t.csv"), rows)
