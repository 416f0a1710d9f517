import pytest
from list_files import write

from vidattn.data.lists.class_files import read_class_file, write_class_file
from vidattn.data.videos.manifest import ManifestError, read_class_names


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


@pytest.mark.parametrize("text", ['{"dance": "first"}', '{"dance": null}'])
def test_class_names_that_are_not_numbered_say_what_was_expected(tmp_path, text):
    with pytest.raises(ManifestError, match=r"names\.json: .*expected JSON \{name: number"):
        read_class_names(write(tmp_path / "names.json", text))
