import errno
import json
import os

import pytest

from vidattn.data.videos.manifest import ManifestError, Video, read_class_names, read_manifest


@pytest.fixture
def folder(tmp_path):
    """Two classes, names with spaces and an upper-case ending; empty files do, since none is opened."""
    for name in ["dance/a.mp4", "dance/my clip, one.MKV", "jump rope/c.webm"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "dance" / "notes.txt").touch()
    return tmp_path


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def seen(manifest, folder):
    """What was read: `(path below folder, class name)`."""
    names = manifest.class_names
    return [
        (video.path.removeprefix(f"{folder}/"), names[video.label] if video.label is not None else None)
        for video in manifest.videos
    ]


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


@pytest.mark.parametrize(
    "lines",
    [
        ["dance/a.mp4 dance", "dance/my clip, one.MKV dance", "jump rope/c.webm jump rope"],
        ["dance/a.mp4  dance", "dance/my clip, one.MKV  dance", "jump rope/c.webm  jump rope"],
        ["dance/a.mp4\tdance", "dance/my clip, one.MKV\tdance", "jump rope/c.webm\tjump rope"],
        ["path,label", "dance/a.mp4,dance", "dance/my clip, one.MKV,dance", "jump rope/c.webm,jump rope"],
        ["dance/a.mp4,dance", '"dance/my clip, one.MKV",dance', 'jump rope/c.webm,"jump rope"'],
        ["dance/a.mp4 dance\r", "", "dance/my clip, one.MKV dance\r", "jump rope/c.webm jump_rope\r"],
    ],
    ids=["space", "two spaces", "tab", "comma", "quoted", "CRLF, blank line, underscore"],
)
def test_lists_read_alike_whatever_separates_them(folder, lines):
    manifest = read_manifest(write(folder / "list.csv", *lines), class_names=["dance", "jump rope"])

    assert seen(manifest, folder) == EXPECTED


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


def test_bad_rows_are_shown_with_file_line_and_expectation(folder):
    rows = ["dance/a.mp4 0", *["dance/a.txt 1"] * 8]

    with pytest.raises(ManifestError, match="expected `path label`") as error:
        read_manifest(write(folder / "train.csv", *rows))

    message = str(error.value)
    assert "train.csv: 8 bad rows" in message
    assert "line 2: 'dance/a.txt 1'" in message
    assert message.count("line ") == 5
    assert "and 3 more" in message


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["dance/a.mp4 dance", "jump rope/c.webm"], r"expected a label as in the other rows.*\n  line 2"),
        (["dance/a.mp4 0", "jump rope/c.webm jump"], r"expected a class number.*\n  line 2"),
        (["dance/a.mp4,,dance"], r"expected `path label`.*\n  line 1"),
    ],
)
def test_rows_unlike_the_others_are_errors(folder, rows, expected):
    with pytest.raises(ManifestError, match=expected):
        read_manifest(write(folder / "train.csv", *rows))


def test_a_list_of_paths_alone_has_no_labels(folder):
    manifest = read_manifest(write(folder / "test.txt", "dance/my clip, one.MKV", "jump rope/c.webm"))

    assert [video.label for video in manifest.videos] == [None, None]


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


def test_something_something_labels_are_templates_without_brackets(tmp_path):
    (tmp_path / "78687.webm").touch()
    entry = {"id": "78687", "label": "holding potato", "template": "Holding [something]", "placeholders": ["potato"]}
    names = write(tmp_path / "labels.json", json.dumps({"Holding something": "1", "Throwing something": "0"}))

    manifest = read_manifest(write(tmp_path / "train.json", json.dumps([entry])), class_names=names)

    assert manifest.videos == [Video(str(tmp_path / "78687.webm"), 1)]
    assert manifest.class_names == ["Throwing something", "Holding something"]


def test_class_names_come_from_a_file_in_its_order(folder):
    names = write(folder / "names.txt", "jump rope", "", "dance")

    assert read_class_names(names) == ["jump rope", "dance"]
    assert [video.label for video in read_manifest(folder, class_names=names).videos] == [1, 1, 0]


@pytest.mark.parametrize("text", ['{"dance": "first"}', '{"dance": null}'])
def test_class_names_that_are_not_numbered_say_what_was_expected(tmp_path, text):
    with pytest.raises(ManifestError, match=r"names\.json: .*expected JSON \{name: number"):
        read_class_names(write(tmp_path / "names.json", text))


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
