import pytest
from list_files import seen, write

from vidattn.data.videos.manifest import ManifestError, read_manifest


@pytest.mark.parametrize(
    "rows", [("v0.mp4,cat,train", "v1.mp4,dog,val"), ("v0.mp4\tcat\tx",), ('"v0.mp4","cat","9"',), ("v0.mp4,0,120",)]
)
def test_what_stands_behind_the_label_is_refused_without_a_header(folder, rows):
    with pytest.raises(ManifestError, match=r"there is more behind the label: name the columns .*\n  line 1: "):
        read_manifest(write(folder / "t.csv", *rows))


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


@pytest.mark.parametrize("rows", [("v0.mp4 120 3", "v1.mp4 80 1"), ("v0.mp4 5 25 3", "v1.mp4 5 20 1")])
def test_as_many_numbers_in_every_row_may_be_columns(folder, rows):
    with pytest.raises(ManifestError, match=r"All have \d numbers: if those are labels, set data\.multi_label"):
        read_manifest(write(folder / "t.txt", *rows))
    assert read_manifest(write(folder / "t.txt", *rows), multi_label=True).multi_label


@pytest.fixture
def class_folders(tmp_path):
    """Two classes, names with spaces and an upper-case ending; empty files do, since none is opened."""
    for name in ["dance/a.mp4", "dance/my clip, one.MKV", "jump rope/c.webm"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "dance" / "notes.txt").touch()
    return tmp_path


EXPECTED = [("dance/a.mp4", "dance"), ("dance/my clip, one.MKV", "dance"), ("jump rope/c.webm", "jump rope")]


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
def test_lists_read_alike_whatever_separates_them(class_folders, lines):
    manifest = read_manifest(write(class_folders / "list.csv", *lines), class_names=["dance", "jump rope"])

    assert seen(manifest, class_folders) == EXPECTED


def test_bad_rows_are_shown_with_file_line_and_expectation(class_folders):
    rows = ["dance/a.mp4 0", *["dance/a.txt 1"] * 8]

    with pytest.raises(ManifestError, match="expected `path label`") as error:
        read_manifest(write(class_folders / "train.csv", *rows))

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
def test_rows_unlike_the_others_are_errors(class_folders, rows, expected):
    with pytest.raises(ManifestError, match=expected):
        read_manifest(write(class_folders / "train.csv", *rows))


def test_a_list_of_paths_alone_has_no_labels(class_folders):
    manifest = read_manifest(write(class_folders / "test.txt", "dance/my clip, one.MKV", "jump rope/c.webm"))

    assert [video.label for video in manifest.videos] == [None, None]
