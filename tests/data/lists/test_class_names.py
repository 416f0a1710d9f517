import pytest
from list_files import write

from vidattn.data.videos.manifest import ManifestError, read_manifest


def test_where_a_class_is_called_by_a_number_numbers_are_names(folder):
    source = write(folder / "t.csv", "v0.mp4,cat", "v1.mp4,0")

    with pytest.raises(ManifestError, match="'0' is none of them; one is called '2021', so that numbers are names"):
        read_manifest(source, class_names=["cat", "2021"])


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


@pytest.mark.parametrize(("one", "other"), [("cat_dog", "cat dog"), ("caf\u00e9", "cafe\u0301"), ("a  b", "a b")])
def test_two_spellings_of_one_class_in_a_list_are_refused_with_both(folder, one, other):
    with pytest.raises(ManifestError, match=r"one spelling of each class, not .*\n  line [12].*\n  line [12]"):
        read_manifest(write(folder / "t.csv", f"v0.mp4,{one}", f"v1.mp4,{other}", "v2.mp4,x"))
    for name in (one, other):
        (folder / "set" / name).mkdir(parents=True)
        (folder / "set" / name / "a.mp4").touch()
    with pytest.raises(ManifestError, match="are two spellings of one name"):
        read_manifest(folder / "set")


def test_numbers_beside_names_that_count_from_one_are_refused(folder):
    names = write(folder / "c.txt", "1 cat", "2 dog")

    assert read_manifest(write(folder / "n.csv", "v0.mp4,dog"), class_names=names).videos[0].label == 1
    with pytest.raises(ManifestError, match=r"classes from 1 and numbers in a list count from 0.*\n  line 1"):
        read_manifest(write(folder / "t.csv", "v0.mp4,1"), class_names=names)
