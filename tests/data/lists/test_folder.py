import errno
import os

import pytest
from list_files import seen
from PIL import Image

from vidattn.data.videos.manifest import ManifestError, Video, read_manifest


def pictures(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (8, 8)).save(folder / name)


def test_folders_of_pictures_in_folders_of_classes_are_videos(tmp_path):
    for name in ("jump/clip1", "jump/set/clip2", "dance/clip1"):
        pictures(tmp_path / name, "img_00001.jpg")
    manifest = read_manifest(tmp_path)

    assert [(video.path.removeprefix(f"{tmp_path}/"), video.label) for video in manifest.videos] == [
        ("dance/clip1", 0),
        ("jump/clip1", 1),
        ("jump/set/clip2", 1),
    ]
    assert [video.folder_fps for video in read_manifest(tmp_path / "jump" / "clip1").videos] == [30]
    with pytest.raises(ManifestError, match=r"folders of pictures \(clip1\)[^\n]*CLASS/CLIP/img_00001\.jpg, or a list"):
        read_manifest(tmp_path / "dance")


def test_a_class_of_pictures_alone_is_not_lost_beside_classes_of_videos(tmp_path):
    pictures(tmp_path / "dance" / "frames of a", "img_00001.jpg")
    pictures(tmp_path / "jump" / "clip1", "img_00001.jpg")
    (tmp_path / "dance" / "a.mp4").touch()
    (tmp_path / "jump" / "b.mp4").touch()
    assert len(read_manifest(tmp_path).videos) == 2  # frames beside the videos that they are of

    (tmp_path / "jump" / "b.mp4").unlink()
    with pytest.raises(
        ManifestError, match=r"a class of pictures alone \(\S+/jump/clip1\); expected videos or folders"
    ):
        read_manifest(tmp_path)


@pytest.fixture
def folder(tmp_path):
    """Two classes, names with spaces and an upper-case ending; empty files do, since none is opened."""
    for name in ["dance/a.mp4", "dance/my clip, one.MKV", "jump rope/c.webm"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "dance" / "notes.txt").touch()
    return tmp_path


EXPECTED = [("dance/a.mp4", "dance"), ("dance/my clip, one.MKV", "dance"), ("jump rope/c.webm", "jump rope")]


def test_a_folder_of_class_folders_is_labelled_by_its_sorted_names(folder):
    manifest = read_manifest(folder)

    assert manifest.class_names == ["dance", "jump rope"]
    assert seen(manifest, folder) == EXPECTED


def test_every_class_folder_counts_and_what_lies_deeper_belongs_to_it(folder):
    (folder / "eat").mkdir()
    (folder / "dance" / "set1" / "old").mkdir(parents=True)
    (folder / "dance" / "set1" / "old" / "b.mp4").touch()
    manifest = read_manifest(folder)

    assert manifest.class_names == ["dance", "eat", "jump rope"]
    assert seen(manifest, folder) == [*EXPECTED[:2], ("dance/set1/old/b.mp4", "dance"), EXPECTED[2]]


def test_links_to_other_folders_are_followed_and_those_back_are_not(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "d.mp4").touch()
    (elsewhere / "set").symlink_to(folder)
    (folder / "dance" / "more").symlink_to(elsewhere)
    for link in ("up", "dance/up", "jump rope/up"):
        (folder / link).symlink_to("..")
    (folder / "dance" / "same").symlink_to(".")
    manifest = read_manifest(folder)

    assert manifest.class_names == ["dance", "jump rope"]
    assert seen(manifest, folder) == [*EXPECTED[:2], ("dance/more/d.mp4", "dance"), EXPECTED[2]]


def test_a_folder_that_cannot_be_listed_is_an_error(folder, monkeypatch):
    listed = os.scandir

    def refuse(path):
        if str(path).endswith("jump rope"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(
        ManifestError, match=r"cannot list \S+/jump rope \(Permission denied\); check the path and your"
    ):
        read_manifest(folder)


def test_what_macos_leaves_behind_is_no_video(folder):
    for name in ("dance/._a.mp4", "__MACOSX/dance/._a.mp4", "dance/__MACOSX/b.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()

    assert read_manifest(folder).class_names == ["dance", "jump rope"]
    assert seen(read_manifest(folder), folder) == EXPECTED
    assert len(read_manifest(folder / "dance").videos) == 2


@pytest.mark.parametrize("names", [["100", "200"], ["2012", "dance"], ["2", "10"]])
def test_a_class_folder_that_is_called_a_number_has_a_name(tmp_path, names):
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.mp4").touch()
    train = read_manifest(tmp_path)

    assert train.class_names == names
    assert seen(train, tmp_path) == [(f"{name}/a.mp4", name) for name in names]
    (tmp_path / names[0]).rename(tmp_path / "1")
    with pytest.raises(ManifestError, match="'1' is none of them"):
        read_manifest(tmp_path, class_names=train.class_names)


def test_class_folders_that_are_called_by_their_labels_are_named_by_a_list(tmp_path):
    for label in range(11):
        (tmp_path / str(label)).mkdir()
        (tmp_path / str(label) / "a.mp4").touch()
    manifest = read_manifest(tmp_path, class_names=[f"class {label}" for label in range(11)])

    assert seen(manifest, tmp_path) == [(f"{label}/a.mp4", f"class {label}") for label in range(11)]
    assert read_manifest(tmp_path).class_names == [str(label) for label in range(11)]


def test_a_flat_folder_and_one_file_have_no_labels(folder):
    flat = read_manifest(folder / "dance")
    one = read_manifest(folder / "dance" / "a.mp4")

    assert [(video.path, video.label) for video in flat.videos] == [
        (str(folder / "dance" / "a.mp4"), None),
        (str(folder / "dance" / "my clip, one.MKV"), None),
    ]
    assert one.videos == [Video(str(folder / "dance" / "a.mp4"), None)]
    assert one.class_names == []
