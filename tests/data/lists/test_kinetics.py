import pytest
from list_files import files, seen, write

from vidattn.data.videos.manifest import ManifestError, Video, read_manifest


def test_kinetics_700_reads_as_400_does(tmp_path):
    files(tmp_path, "train/dancing ballet/ab-_c_000010_000020.mp4")
    rows = ["label,youtube_id,time_start,time_end,split", "dancing ballet,ab-_c,10,20,train"]

    manifest = read_manifest(write(tmp_path / "kinetics700_train.csv", *rows))

    assert seen(manifest, tmp_path) == [("train/dancing ballet/ab-_c_000010_000020.mp4", "dancing ballet")]


KINETICS = [
    "label,youtube_id,time_start,time_end,split,is_cc",
    '"jump rope",_dbcJuKJQNs,40,50,val,0',
    "dance,-xY,3.0,13.0,val,0",
]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("jump rope/_dbcJuKJQNs_000040_000050.mp4", "dance/-xY_000003_000013.mkv"),
        ("val/jump_rope/_dbcJuKJQNs_000040_000050.mp4", "val/dance/-xY_000003_000013.mkv"),
        ("_dbcJuKJQNs_000040_000050.mp4", "-xY_000003_000013.mkv"),
    ],
    ids=["class folders", "split and underscores", "flat"],
)
def test_kinetics_clips_are_found_in_every_usual_layout(tmp_path, first, second):
    for name in [first, second]:
        (tmp_path / "videos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "videos" / name).touch()

    manifest = read_manifest(write(tmp_path / "val.csv", *KINETICS), root=tmp_path / "videos")

    assert manifest.class_names == ["dance", "jump rope"]
    assert manifest.videos == [Video(str(tmp_path / "videos" / first), 1), Video(str(tmp_path / "videos" / second), 0)]


def test_a_kinetics_clip_that_lies_in_two_folders_is_taken_from_that_of_its_class(tmp_path):
    for name in ["dance/_dbcJuKJQNs_000040_000050.mp4", "jump_rope/_dbcJuKJQNs_000040_000050.mp4"]:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()

    manifest = read_manifest(write(tmp_path / "val.csv", *KINETICS[:2]))

    assert manifest.videos == [Video(str(tmp_path / "jump_rope/_dbcJuKJQNs_000040_000050.mp4"), 0)]


def test_uncut_kinetics_videos_keep_their_segment(tmp_path):
    (tmp_path / "_dbcJuKJQNs.mp4").touch()

    manifest = read_manifest(write(tmp_path / "val.csv", *KINETICS))

    assert manifest.videos == [Video(str(tmp_path / "_dbcJuKJQNs.mp4"), 1, start=40.0, end=50.0)]
    assert manifest.missing == {"dance": 1}


def test_the_kinetics_test_list_has_no_labels(tmp_path):
    (tmp_path / "ab_000001_000011.mp4").touch()

    manifest = read_manifest(write(tmp_path / "test.csv", "youtube_id,time_start,time_end,split", "ab,1,11,test"))

    assert manifest.videos == [Video(str(tmp_path / "ab_000001_000011.mp4"), None)]


def test_a_kinetics_list_whose_labels_have_another_name_is_not_taken_for_one_without(tmp_path):
    with pytest.raises(ManifestError, match=r"columns Label,youtube_id,.*expected label for 'Label': rename it"):
        read_manifest(write(tmp_path / "val.csv", KINETICS[0].replace("label", "Label"), *KINETICS[1:]))


def test_a_bad_kinetics_row_is_shown(tmp_path):
    with pytest.raises(ManifestError, match=r"expected `label,youtube_id.*\n  line 3: 'dance,ab,9,3,val'"):
        read_manifest(write(tmp_path / "val.csv", KINETICS[0][:-6], "dance,ab,3,9,val", "dance,ab,9,3,val"))
