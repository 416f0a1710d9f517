import pytest
from list_files import files, labels, write

from vidattn.data.videos.manifest import ManifestError, read_manifest


@pytest.mark.parametrize("rows", [["a.mp4 3 17", "b.mp4 5"], ["a 40 3 17", "b 40 5"]], ids=["videos", "rawframes"])
def test_mmaction2_multi_label_lists_give_all_labels(tmp_path, rows):
    files(tmp_path, "a.mp4", "b.mp4", "a/1.jpg", "b/1.jpg")

    manifest = read_manifest(write(tmp_path / "train.txt", *rows))

    assert manifest.multi_label
    assert [(video.label, video.labels) for video in manifest.videos] == [(None, (3, 17)), (None, (5,))]
    assert len(manifest.class_names) == 18


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


@pytest.mark.parametrize("name", ["2021", "007", "3"])
def test_one_number_among_names_is_the_row_that_is_named(folder, name):
    source = write(folder / "t.csv", "v0.mp4,cat", f"v1.mp4,{name}", "v2.mp4,dog")

    with pytest.raises(ManifestError, match=rf"1 bad row, .*data\.class_names\):\n  line 2: 'v1\.mp4,{name}'$"):
        read_manifest(source)
    assert labels(read_manifest(source, class_names=["cat", "dog", name])) == [("cat",), (name,), ("dog",)]
