import pytest
from list_files import write

from vidattn.data.videos.manifest import ManifestError
from vidattn.data.videos.splits import Splits


def test_labels_are_counted_as_a_checkpoint_does_class_by_class(folder):
    write(folder / "test.csv", "v0.mp4,dog", "v1.mp4,cat_a")
    splits = Splits({"test": str(folder / "test.csv")})
    splits.manifest("test")
    splits.count_as(["ant", "dog", "cat a"])

    assert splits.class_names == ["ant", "dog", "cat a"]
    assert [video.label for video in splits.manifest("test").videos] == [1, 2]
    splits.count_as(["ant", "Dog", "cat a"])
    with pytest.raises(ManifestError, match=r"data\.test: 'dog' is none of the 3 known classes; did you mean 'Dog'"):
        splits.manifest("test")


def test_numbers_stay_tied_to_the_names_given_for_their_list(folder):
    write(folder / "test.csv", "v0.mp4,0", "v1.mp4,1")
    splits = Splits({"test": str(folder / "test.csv")}, class_names=["dog", "cat"])
    splits.count_as(["cat", "dog"])

    assert [video.label for video in splits.manifest("test").videos] == [1, 0]
