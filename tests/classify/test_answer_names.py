import pytest

from vidattn.classify.answer_names import names_for


@pytest.mark.parametrize("numbers", [(2, 0, 1), ("2", "0", "1")])
def test_a_dict_is_taken_in_the_order_of_its_numbers(numbers):
    id2label = dict(zip(numbers, ("sit", "run", "jump"), strict=True))

    assert names_for(3, [], id2label) == (["run", "jump", "sit"], [])


@pytest.mark.parametrize("names", [{1: "run", 2: "jump"}, {"run": 0, "jump": 1}, {0: "run", "0": "jump"}])
def test_a_dict_of_other_than_the_classes_numbers_is_refused(names):
    with pytest.raises(ValueError, match=r"class_names is a dict of .*: wanted the numbers 0 to K - 1"):
        names_for(2, [], names)


@pytest.mark.parametrize("names", [[0, 1], {0: 0, 1: 1}, ["run", None]])
def test_a_name_that_is_no_text_is_refused(names):
    with pytest.raises(ValueError, match=r"class_names: (0|None) is no name but (int|NoneType); give text"):
        names_for(2, [], names)


@pytest.mark.parametrize("names", [{"run", "jump"}, 2])
def test_names_without_an_order_are_refused(names):
    with pytest.raises(ValueError, match=r"class_names of type (set|int): wanted a list of names, in the classes'"):
        names_for(2, [], names)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"\x00\xff\xfe")

    with pytest.raises(ValueError, match=r"clip\.mp4 is neither text nor a file"):
        names_for(2, [], tmp_path / "clip.mp4")


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    (tmp_path / "names.txt").write_bytes("\ufeffdéjà vu\r\njump\r\n".encode())

    assert names_for(2, [], tmp_path / "names.txt")[0] == ["déjà vu", "jump"]


def test_a_name_for_two_classes_is_refused(tmp_path):
    with pytest.raises(ValueError, match="class_names: 'run' stands there twice"):
        names_for(3, [], ["run", "jump", "run"])

    (tmp_path / "names.txt").write_text("run\njump\nrun\njump\n")
    with pytest.raises(ValueError, match=r"names\.txt: class_names holds 'run' twice"):
        names_for(4, [], tmp_path / "names.txt")


def test_another_number_of_names_is_refused_with_the_next_move():
    with pytest.raises(
        ValueError,
        match=r"2 class names, but the network has 3 classes; give one for each, in the order of training, or "
        r"fine-tune a head of 2: --model\.network\.num_classes 2",
    ):
        names_for(3, [], ["run", "jump"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "0 class names, but the network has 3 classes; give one for each, in the order of training$"),
        (["run"], "1 class name, but the network has 3 classes; .* a head of 1: "),
    ],
)
def test_few_names_are_counted_in_good_words(names, message):
    with pytest.raises(ValueError, match=message):
        names_for(3, [], names)


@pytest.mark.parametrize("given", [["jump", "run"], {0: "jump", 1: "run"}])
def test_given_names_that_the_checkpoint_has_for_other_classes_are_said(given):
    names, (note,) = names_for(2, ["run", "jump"], given)

    assert names == ["jump", "run"]
    assert "'jump' for class 0, the checkpoint for class 1: 2 names stand at another place" in note


@pytest.mark.parametrize(("given", "stored"), [(["run", "jump"], ["run", "jump"]), (["a", "b"], ["0", "1"])])
def test_given_names_at_their_place_or_new_ones_need_no_word(given, stored):
    assert names_for(2, stored, given) == (given, [])


def test_a_file_that_begins_with_a_header_is_no_list_with_a_class_more(tmp_path):
    (tmp_path / "names.csv").write_text("id,name\n0,run\n1,jump\n")

    assert names_for(2, [], tmp_path / "names.csv")[0] == ["run", "jump"]
    (tmp_path / "names.csv").write_text("id,name\nrun\njump\n")
    with pytest.raises(ValueError, match="looks like the header of a table"):
        names_for(3, [], tmp_path / "names.csv")
