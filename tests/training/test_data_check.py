from types import SimpleNamespace

import pytest

from vidattn.training.data_check import Labels, check_data


def data(names="ab", several=False, videos=8):
    """What is asked of a `VideoDataModule`."""
    manifest = SimpleNamespace(labelled=True, multi_label=several)
    return SimpleNamespace(
        sources=dict.fromkeys(("val", "test", "predict"), "list.csv"),
        class_names=list(names),
        num_videos=lambda split: videos,
        manifest=lambda split: manifest,
    )


@pytest.mark.parametrize("stage", ["fit", "validate", "test", "predict"])
def test_data_that_fit_pass_without_a_trainer(stage):
    check_data(data(), stage, 2, Labels(2, names=("a", "b")))
    check_data(data(), stage, 2)


@pytest.mark.parametrize(
    ("given", "labels", "message"),
    [
        (data("abc"), Labels(2), "the data has 3 classes but num_classes=2"),
        (data(several=True), Labels(2), r"the lists have several labels a video; set --model\.objective .*MultiLabel$"),
        (data(), Labels(2, several=True), r"one label a video; set .*OneLabel, or data\.multi_label to true"),
        (data("ba"), Labels(2, names=("a", "b")), "class 0 is 'b' in the data but 'a' in the checkpoint"),
        (data(videos=1), None, r"data\.test has fewer videos \(1\) than there are processes \(2\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_next_move(given, labels, message):
    with pytest.raises(ValueError, match=message):
        check_data(given, "test", 2, labels)
