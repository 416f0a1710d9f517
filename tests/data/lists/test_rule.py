"""The one rule of notebooks/data.md: what a cell is, what a header is, where names come from, how they are compared."""

import re

import pytest
from PIL import Image

from vidattn.data.lists.class_files import read_class_file, write_class_file
from vidattn.data.videos.manifest import ManifestError, read_class_names, read_manifest
from vidattn.data.videos.remarks import remarks
from vidattn.data.videos.splits import Splits


@pytest.fixture
def folder(tmp_path):
    """Eight empty files: none is opened."""
    for number in range(8):
        (tmp_path / f"v{number}.mp4").touch()
    return tmp_path


def write(path, *lines, encoding="utf-8"):
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return path


def labels(manifest):
    """The names of the classes of each video."""
    names = manifest.class_names
    return [
        tuple(names[label] for label in (video.labels if video.label is None else (video.label,)))
        for video in manifest.videos
    ]


# Several labels in a cell.


@pytest.mark.parametrize(
    "cells",
    [
        ("cat;dog", "dog", "bird; cat"),
        ("cat|dog", "dog", "bird | cat"),
        ('"cat,dog"', "dog", '"bird,cat"'),
        ("cat,dog", "dog", "bird,cat"),
        ("[cat, dog]", "[dog]", '"[bird, cat]"'),
        ("""['cat', "dog"]""", "dog", '["bird", "cat"]'),
    ],
)
@pytest.mark.parametrize("between", [",", "\t", " "])
def test_a_multi_label_list_parts_the_names_in_a_cell(folder, cells, between):
    if between == " " and '"cat,dog"' in cells:
        cells = ("cat,dog", "dog", "bird,cat")
    source = write(folder / "t.csv", *(f"v{place}.mp4{between}{cell}" for place, cell in enumerate(cells)))

    manifest = read_manifest(source, multi_label=True)

    assert [set(found) for found in labels(manifest)] == [{"cat", "dog"}, {"dog"}, {"bird", "cat"}]
    assert manifest.class_names == ["bird", "cat", "dog"]


@pytest.mark.parametrize("cell", ["1 3", "1,3", "1;3", "1 | 3", "[1, 3]", "(1,3)", '"1, 3"'])
def test_several_numbers_are_several_labels(folder, cell):
    between = "\t" if "," in cell and cell[0] not in '["(' else " "
    manifest = read_manifest(write(folder / "t.txt", f"v0.mp4{between}{cell}", "v1.mp4 0", "v2.mp4"), multi_label=True)

    assert [video.labels for video in manifest.videos] == [(1, 3), (0,), ()]


@pytest.mark.parametrize(
    "cells",
    [("cat;dog", "cat", "x"), ("run|walk", "walk|sit", "sit|run"), ('"a b,c"', "a b", "c")],
)
def test_a_cell_that_is_put_together_of_other_labels_is_refused_where_a_video_has_one(folder, cells):
    source = write(folder / "t.csv", *(f"v{place}.mp4,{cell}" for place, cell in enumerate(cells)))

    with pytest.raises(ManifestError, match=r"hold several: set data\.multi_label to true .*\n  line 1"):
        read_manifest(source)


def test_names_that_hold_commas_and_semicolons_are_names(folder):
    names = ["Lifting up one end of something, then letting it drop", "Lifting it completely, then letting it drop"]
    source = write(
        folder / "t.csv", *(f'v{place}.mp4,"{name}"' for place, name in enumerate([*names, "cut; then glue"]))
    )

    assert sorted(label for (label,) in labels(read_manifest(source))) == sorted([*names, "cut; then glue"])


@pytest.mark.parametrize("cell", ["-1", "3.0", "1e2", "nan", "+2"])
def test_a_number_that_counts_nothing_is_no_label(folder, cell):
    with pytest.raises(ManifestError, match=r"a whole number from 0 as label .*\n  line 2: 'v1\.mp4"):
        read_manifest(write(folder / "t.txt", "v0.mp4 0", f"v1.mp4 {cell}"))


# Columns and headers.


@pytest.mark.parametrize(
    "rows", [("v0.mp4,cat,train", "v1.mp4,dog,val"), ("v0.mp4\tcat\tx",), ('"v0.mp4","cat","9"',), ("v0.mp4,0,120",)]
)
def test_what_stands_behind_the_label_is_refused_without_a_header(folder, rows):
    with pytest.raises(ManifestError, match=r"there is more behind the label: name the columns .*\n  line 1: "):
        read_manifest(write(folder / "t.csv", *rows))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("video_path,label", "v{0}.mp4,{1}"),
        ("Path\tClass", "v{0}.mp4\t{1}"),
        ("file_name;category", "v{0}.mp4;{1}"),
        ("label,video", "{1},v{0}.mp4"),
        ("filename,label,split,fps", "v{0}.mp4,{1},train,25"),
        ("id label clip", "{0} {1} v{0}.mp4"),
        ('"video","label"', '"v{0}.mp4","{1}"'),
    ],
)
def test_common_headers_are_read(folder, header, row):
    source = write(folder / "t.csv", header, row.format(0, "dog"), row.format(1, "cat"))

    assert labels(read_manifest(source)) == [("dog",), ("cat",)]


def test_a_header_says_which_part_of_the_video_is_meant(folder):
    (video,) = read_manifest(write(folder / "t.csv", "path,start_time,end,class", "v0.mp4,1.5,3,cat")).videos

    assert (video.start, video.end, video.label) == (1.5, 3.0, 0)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("path,label,split", "v0.mp4,a,train", "v1.mp4,b,val"),
            r"several splits \(train, val\); write a list",
        ),
        (("path,label,begin_ms", "v0.mp4,a,7"), "column 'begin_ms', which is not understood; call it start"),
        (("path,label,class", "v0.mp4,a,b"), "columns label and class; keep the one that is the label"),
        (("path,label,start", "v0.mp4,a,soon"), "times in seconds.*\n  line 2"),
        (("clipname,lbl", "v0.mp4,a", "v1.mp4,b"), "a header of known columns.*\n  line 1: 'clipname,lbl'"),
    ],
)
def test_a_header_that_would_be_guessed_at_is_refused(folder, lines, message):
    with pytest.raises(ManifestError, match=message):
        read_manifest(write(folder / "t.csv", *lines))


@pytest.mark.parametrize("rows", [("0 w0.mp4", "1 w1.mp4"), ("cat,w0.mp4",), ("cat\tw0.mp4", "dog\tw1.mp4")])
def test_a_label_that_stands_first_is_named(folder, rows):
    with pytest.raises(ManifestError, match=r"but the label stands first: .*\n  line 1: "):
        read_manifest(write(folder / "t.csv", *rows))


def test_a_file_whose_name_begins_with_a_number_is_a_file(folder):
    (folder / "3 men.mp4").touch()

    assert len(read_manifest(write(folder / "t.csv", "3 men.mp4")).videos) == 1


@pytest.mark.parametrize("path", [r"sub\a.mp4", r".\sub\a.mp4", "~/sub/a.mp4"])
def test_paths_of_windows_and_of_the_home_folder_are_taken_as_meant(tmp_path, monkeypatch, path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.mp4").touch()

    assert len(read_manifest(write(tmp_path / "t.csv", f"{path},cat")).videos) == 1


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


# Numbers and names.


@pytest.mark.parametrize("name", ["2021", "007", "3"])
def test_one_number_among_names_is_the_row_that_is_named(folder, name):
    source = write(folder / "t.csv", "v0.mp4,cat", f"v1.mp4,{name}", "v2.mp4,dog")

    with pytest.raises(ManifestError, match=rf"1 bad row, .*data\.class_names\):\n  line 2: 'v1\.mp4,{name}'$"):
        read_manifest(source)
    assert labels(read_manifest(source, class_names=["cat", "dog", name])) == [("cat",), (name,), ("dog",)]


def test_where_a_class_is_called_by_a_number_numbers_are_names(folder):
    source = write(folder / "t.csv", "v0.mp4,cat", "v1.mp4,0")

    with pytest.raises(ManifestError, match="'0' is none of them; one is called '2021', so that numbers are names"):
        read_manifest(source, class_names=["cat", "2021"])


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


# Spelling.


@pytest.mark.parametrize("other", ["jump_rope", " jump  rope ", "jump__rope"])
def test_underscores_and_spaces_make_no_other_class(folder, other):
    source = write(folder / "t.csv", f'v0.mp4,"{other}"')

    assert read_manifest(source, class_names=["dance", "jump rope"]).videos[0].label == 1


def test_composed_and_decomposed_letters_make_no_other_class(folder):
    source = write(folder / "t.csv", "v0.mp4,cafe\u0301", "v1.mp4,A\u030angstro\u0308m")

    assert [v.label for v in read_manifest(source, class_names=["\u00c5ngstr\u00f6m", "caf\u00e9"]).videos] == [1, 0]


@pytest.mark.parametrize("other", ["HandstandPushups", "handstand_push-ups", "Handstand pushup"])
def test_another_spelling_is_refused_with_the_name_that_is_meant(folder, other):
    source = write(folder / "t.csv", f"v0.mp4,{other}")

    with pytest.raises(ManifestError, match="did you mean 'HandStandPushups'"):
        read_manifest(source, class_names=["Hammering", "HandStandPushups", "HandstandWalking"])


def test_a_ucf101_class_in_another_case_is_found_by_its_hint(tmp_path):
    write(tmp_path / "classInd.txt", "1 HandstandPushups", "2 YoYo")

    with pytest.raises(ManifestError, match=r"CLASS of classInd\.txt \(did you mean 'HandstandPushups'\?\)"):
        read_manifest(write(tmp_path / "trainlist01.txt", "HandStandPushups/a.avi 1"))


@pytest.mark.parametrize(("one", "other"), [("cat_dog", "cat dog"), ("caf\u00e9", "cafe\u0301"), ("a  b", "a b")])
def test_two_spellings_of_one_class_in_a_list_are_refused_with_both(folder, one, other):
    with pytest.raises(ManifestError, match=r"one spelling of each class, not .*\n  line [12].*\n  line [12]"):
        read_manifest(write(folder / "t.csv", f"v0.mp4,{one}", f"v1.mp4,{other}", "v2.mp4,x"))
    for name in (one, other):
        (folder / "set" / name).mkdir(parents=True)
        (folder / "set" / name / "a.mp4").touch()
    with pytest.raises(ManifestError, match="are two spellings of one name"):
        read_manifest(folder / "set")


def test_classes_that_differ_in_case_are_two_and_said(folder):
    manifest = read_manifest(write(folder / "t.csv", "v0.mp4,Cat", "v1.mp4,cat", "v2.mp4,a", "v3.mp4,A"))

    assert len(manifest.class_names) == 4
    assert list(remarks("train", manifest)) == ["data.train: classes 'Cat' and 'cat' differ in little; are they one?"]


# Encodings.


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-bom"])
def test_marked_encodings_are_read_as_what_they_are(folder, encoding):
    data = "v0.mp4,caf\u00e9\r\nv1.mp4,\u8d70\r\n"
    data = b"\xff\xfe" + data.encode("utf-16-le") if encoding == "utf-16-le-bom" else data.encode(encoding)
    (folder / "t.csv").write_bytes(data)
    (folder / "names.txt").write_bytes("\u8d70\ncaf\u00e9\n".encode("utf-16"))

    assert read_manifest(folder / "t.csv").class_names == ["caf\u00e9", "\u8d70"]
    assert [video.label for video in read_manifest(folder / "t.csv", class_names=folder / "names.txt").videos] == [1, 0]


@pytest.mark.parametrize(
    ("encoding", "said"), [("latin-1", "not in UTF-8"), ("cp1252", "not in UTF-8"), ("utf-16-le", "UTF-16")]
)
def test_labels_in_other_encodings_are_refused_at_once(folder, encoding, said):
    with pytest.raises(ManifestError, match=rf"{said}.*save it as UTF-8"):
        read_manifest(write(folder / "t.csv", "v0.mp4,d\u00e9j\u00e0 vu", encoding=encoding))
    with pytest.raises(ManifestError, match=rf"{said}.*save it as UTF-8"):
        read_class_names(write(folder / "names.txt", "d\u00e9j\u00e0 vu", encoding=encoding))


# Files of class names.


@pytest.mark.parametrize(
    "lines",
    [
        ("cat", "dog", "red fox"),
        ("id,name", "0,cat", "1,dog", "2,red fox"),
        ("label_id\tlabel_name", "2\tred fox", "1\tdog", "0\tcat"),
        ("name,id", "red fox,2", "cat,0", "dog,1"),
        ("0,cat", "1,dog", '2,"red fox"'),
        ("1 cat", "2 dog", "3 red fox"),
        ("0: cat", "1: dog", "2: red fox"),
        ("cat;0", "red fox;2", "dog;1"),
        ('{"cat": 0, "red fox": "2", "dog": 1}',),
        ('{"0": "cat", "2": "red fox", "1": "dog"}',),
        ('["cat", "dog", "red fox"]',),
        ('{"\\"cat\\"": 0, "\\"dog\\"": 1, "\\"red fox\\"": 2}',),
    ],
)
def test_files_of_class_names_are_read_in_every_usual_form(tmp_path, lines):
    assert read_class_names(write(tmp_path / "c.txt", *lines)) == ["cat", "dog", "red fox"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("id,name", "cat", "dog"), "begins with 'id,name', which looks like the header"),
        (("class_name", "cat", "dog"), "begins with 'class_name', which looks like the header"),
        (("id,name", "0,cat", "dog"), "a number and a name on each line.*\n  'dog'"),
        (("0,cat", "2,dog"), r"each once; 1 is missing"),
        (("0,cat", "0,dog"), r"each once; 1 is missing"),
        (('{"cat": 0, "dog": 5}',), "each once; 1 is missing"),
        (("red_fox", "red fox"), "two spellings of one name"),
        (("cat", "cat"), "holds 'cat' twice"),
    ],
)
def test_files_of_class_names_that_would_be_guessed_at_are_refused(tmp_path, lines, message):
    with pytest.raises(ManifestError, match=message):
        read_class_names(write(tmp_path / "c.txt", *lines))


@pytest.mark.parametrize(
    "names",
    [
        ["cat", "dog"],
        ["1 apple", "2 pear"],
        ["name", "cat"],
        ["a\nb", "c"],
        ["cat,0", "dog,1"],
        ['"a"', "b"],
        ["0", "1"],
    ],
)
def test_class_names_are_written_so_that_they_read_back(tmp_path, names):
    write_class_file(tmp_path / "c.txt", names)

    assert read_class_file(tmp_path / "c.txt").names == names


def test_numbers_beside_names_that_count_from_one_are_refused(folder):
    names = write(folder / "c.txt", "1 cat", "2 dog")

    assert read_manifest(write(folder / "n.csv", "v0.mp4,dog"), class_names=names).videos[0].label == 1
    with pytest.raises(ManifestError, match=r"classes from 1 and numbers in a list count from 0.*\n  line 1"):
        read_manifest(write(folder / "t.csv", "v0.mp4,1"), class_names=names)


# Lists of a run side by side.


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


# Folders of pictures.


def pictures(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (8, 8)).save(folder / name)


def test_folders_of_pictures_are_read_from_lists_without_a_total(tmp_path):
    pictures(tmp_path / "my frames" / "a", "img_00001.jpg")
    pictures(tmp_path / "b", "1.png")
    named = read_manifest(write(tmp_path / "t.txt", "my frames/a red fox", "b 3 men"))
    numbered = read_manifest(write(tmp_path / "n.csv", "my frames/a,1", "b,0"))
    total = read_manifest(write(tmp_path / "m.txt", "my frames/a 12 cat", "b 7 dog"))

    assert labels(named) == [("red fox",), ("3 men",)]
    assert [video.label for video in numbered.videos] == [1, 0]
    assert [(video.folder_fps, video.end_frame) for video in named.videos] == [(30, None)] * 2
    assert [video.end_frame for video in total.videos] == [12, 7]
    assert labels(total) == [("cat",), ("dog",)]


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


@pytest.mark.parametrize("rows", [("a 5 25 3", "b 0 20 1"), ("a 5 25 3",), ("a 1 5 25 3", "b 1 5 20 1")])
def test_a_start_before_the_total_is_not_taken_for_the_total(tmp_path, rows):
    with pytest.raises(ManifestError, match=r"`frame_dir total_frames label`, and each row has \d numbers behind"):
        read_manifest(write(tmp_path / "t.txt", *rows))


@pytest.mark.parametrize("rows", [("v0.mp4 120 3", "v1.mp4 80 1"), ("v0.mp4 5 25 3", "v1.mp4 5 20 1")])
def test_as_many_numbers_in_every_row_may_be_columns(folder, rows):
    with pytest.raises(ManifestError, match=r"All have \d numbers: if those are labels, set data\.multi_label"):
        read_manifest(write(folder / "t.txt", *rows))
    assert read_manifest(write(folder / "t.txt", *rows), multi_label=True).multi_label
