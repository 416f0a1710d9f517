import shutil

import pytest
from list_files import seen, write

from vidattn.data.videos.manifest import ManifestError, read_class_names, read_manifest


@pytest.fixture
def folder(tmp_path):
    """Two classes, names with spaces and an upper-case ending; empty files do, since none is opened."""
    for name in ["dance/a.mp4", "dance/my clip, one.MKV", "jump rope/c.webm"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "dance" / "notes.txt").touch()
    return tmp_path


def test_numbers_are_labels_and_are_named_by_the_class_names(folder):
    source = write(folder / "train.txt", "dance/a.mp4 2", "jump rope/c.webm 0")

    plain = read_manifest(source)
    named = read_manifest(source, class_names=["x", "y", "z"])

    assert [video.label for video in plain.videos] == [video.label for video in named.videos] == [2, 0]
    assert plain.class_names == ["0", "1", "2"]
    assert named.class_names == ["x", "y", "z"]


def test_numbers_named_by_the_training_list_stay_numbers(folder):
    # "10" sorts before "2" as text, so counting sorted names would go wrong here.
    train = read_manifest(write(folder / "train.txt", *(f"dance/a.mp4 {number}" for number in range(12))))
    val = read_manifest(write(folder / "val.txt", "dance/a.mp4 10", "dance/a.mp4 2"), class_names=train.class_names)

    assert [video.label for video in val.videos] == [10, 2]


def test_a_split_without_some_classes_keeps_the_numbers_of_the_training_list(folder):
    train = read_manifest(folder)
    val = read_manifest(write(folder / "val.csv", "jump rope/c.webm,jump rope"), class_names=train.class_names)

    assert val.videos[0].label == 1
    assert val.class_names == train.class_names


def test_an_unknown_label_is_named_with_its_row_and_the_nearest_name(folder):
    source = write(folder / "val.csv", "dance/a.mp4,dance", "jump rope/c.webm,jump ropes")

    message = r"val\.csv: 1 bad row.*'jump ropes' is none of them; did you mean 'jump rope'\?\):\n.*line 2"
    with pytest.raises(ManifestError, match=message):
        read_manifest(source, class_names=["dance", "jump rope"])


def test_a_number_beyond_the_class_names_is_an_error(folder):
    with pytest.raises(ManifestError, match=r"2 known classes \('2' is none of them"):
        read_manifest(write(folder / "val.csv", "dance/a.mp4 2"), class_names=["dance", "jump rope"])


def test_missing_files_are_dropped_counted_and_keep_the_numbers(folder):
    manifest = read_manifest(write(folder / "t.csv", "gone.mp4,a", "gone2.mp4,a", "dance/a.mp4,b", "gone3.mp4,c"))

    assert seen(manifest, folder) == [("dance/a.mp4", "b")]
    assert manifest.class_names == ["a", "b", "c"]
    assert manifest.missing == {"a": 2, "c": 1}
    gone = folder / "gone.mp4"
    said = f"3 of 4 listed videos do not exist and are left out (2 of a, 1 of c): {gone} ..."
    assert manifest.describe_missing().endswith(said)
    assert read_manifest(folder).describe_missing() == ""


def test_a_list_without_any_existing_file_says_to_set_root(folder):
    source = write(folder / "jump rope" / "t.csv", "a.mp4,dance")

    with pytest.raises(ManifestError, match=r"none of the 1 listed videos exists, e\.g\. .*jump rope/a\.mp4; set root"):
        read_manifest(source)
    assert len(read_manifest(source, root=folder / "dance").videos) == 1


def test_class_names_come_from_a_file_in_its_order(folder):
    names = write(folder / "names.txt", "jump rope", "", "dance")

    assert read_class_names(names) == ["jump rope", "dance"]
    assert [video.label for video in read_manifest(folder, class_names=names).videos] == [1, 1, 0]


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (lambda folder: folder / "none.csv", "none.csv does not exist"),
        (lambda folder: write(folder / "e.csv", ""), "e.csv lists no videos"),
        (lambda folder: (folder / "stray.mp4").touch() or folder, r"holds videos \(stray.mp4\) beside folders"),
        (lambda folder: (folder / "empty").mkdir() or folder / "empty", "empty holds no videos"),
        (
            lambda folder: (
                (folder / "splits" / "train").parent.mkdir()
                or (folder / "dance").rename(folder / "splits" / "train").parent
            ),
            r"holds splits \(train\), not classes",
        ),
        (lambda folder: write(folder / "broken.json", "[{"), "broken.json starts like JSON but is not"),
    ],
)
def test_sources_that_cannot_be_used_say_why(folder, arrange, message):
    with pytest.raises(ManifestError, match=message):
        read_manifest(arrange(folder))


def test_a_class_named_twice_is_an_error(folder):
    with pytest.raises(ManifestError, match="class_names holds 'dance' twice"):
        read_manifest(folder, class_names=["dance", "jump rope", "dance"])


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (r"D:\clips\a.mp4", "paths of Windows; write them with / and without the drive"),
        ("s3://clips/a.mp4", "addresses are not opened here; download"),
        ("/nowhere/a.mp4", "whole ones, so that root does not change them"),
        ("nowhere/a.mp4", "set root to the folder"),
    ],
)
def test_what_to_do_about_videos_that_are_not_there_depends_on_their_paths(tmp_path, path, message):
    with pytest.raises(ManifestError, match=f"none of the 2 listed videos exists.*{message}"):
        read_manifest(write(tmp_path / "t.csv", f"{path},cat", f"{path},dog"))


def test_a_name_that_stands_before_the_path_is_told_as_such(tmp_path, tiny_video):
    shutil.copy(tiny_video, tmp_path / "a.mp4")
    (tmp_path / "list.txt").write_text("jump a.mp4\nrun a.mp4\n")
    with pytest.raises(ManifestError, match=r"none of the 2 listed videos exists, .*; the label stands first: put it"):
        read_manifest(tmp_path / "list.txt")
