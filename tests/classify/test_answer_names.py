import numpy as np
import pytest
from foreseen import CONFIG, brightness_classifier, write_checkpoint

from vidattn import Classifier
from vidattn.classify.answer_names import names_for
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network


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


def test_a_checkpoint_without_names_numbers_its_classes_and_says_so(tmp_path, tiny_video):
    nameless = write_checkpoint(tmp_path / "nameless.ckpt", names=[])
    names = tmp_path / "names.txt"
    names.write_text("a\nb\nc\n")

    answer = Classifier.from_pretrained(nameless)(tiny_video)

    assert sorted(one.name for one in answer.top()) == ["class 0", "class 1", "class 2"]
    assert "names no classes" in str(answer)
    assert Classifier.from_pretrained(nameless, class_names=names).class_names == ["a", "b", "c"]
    with pytest.raises(ValueError, match="2 class names, but the network has 3 classes"):
        Classifier.from_pretrained(nameless, class_names=["a", "b"])


def test_four_hundred_unnamed_classes_are_kinetics_in_alphabetical_order(tmp_path):
    config = VideoTransformerConfig(num_classes=400, image_size=32, patch_size=16, embed_dim=8, depth=1, num_heads=1)
    classifier = Classifier.from_pretrained(write_checkpoint(tmp_path / "k.ckpt", config, names=[]))

    assert len(classifier.class_names) == 400
    assert classifier.class_names[6] == "arm wrestling"
    assert any("Kinetics-400" in note for note in classifier.notes)


def test_names_must_be_as_many_as_the_networks_classes():
    classifier = brightness_classifier()
    classifier.class_names = ["one"]

    for ask in (classifier, classifier.timeline):
        with pytest.raises(ValueError, match="1 class name, but the network has 3 classes"):
            ask(np.zeros((8, 32, 32, 3), np.uint8))


@pytest.mark.parametrize("names", ["abcdefg", "a", ""])
def test_names_that_do_not_fit_the_head_are_refused_at_once(names):
    with pytest.raises(ValueError, match=rf"{len(names)} class names?, but the network has 3 classes; give one for ea"):
        Classifier(build_network(CONFIG), list(names), brightness_classifier().preparation)


def test_stored_names_of_another_number_are_refused(tmp_path):
    path = write_checkpoint(tmp_path / "two.ckpt", names=["run", "sit"])

    with pytest.raises(ValueError, match="2 class names in the checkpoint, but the network has 3 classes; give them"):
        Classifier.from_pretrained(path)

    assert Classifier.from_pretrained(path, class_names=["a", "b", "c"]).class_names == ["a", "b", "c"]


def test_stored_names_of_several_classes_are_told_apart(tmp_path, tiny_video):
    classifier = Classifier.from_pretrained(write_checkpoint(tmp_path / "crane.ckpt", names=["crane", "jay", "crane"]))

    assert classifier.class_names == ["crane (0)", "jay", "crane (2)"]
    assert "the checkpoint calls several classes 'crane'" in str(classifier(tiny_video))
