import pytest
from foreseen import plain_video

from vidattn.classify.classifier import Classifier
from vidattn.classify.prediction import Prediction
from vidattn.classify.sources import Skipped


@pytest.fixture(scope="module")
def classifier(checkpoint):
    return Classifier.from_pretrained(checkpoint)


def test_answers_stream_in_order_with_what_was_skipped_between_them(classifier, tmp_path):
    paths = [plain_video(tmp_path / f"{level}.mp4", [level] * 20) for level in (30, 120, 220)]
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 100)
    videos = iter([paths[0], tmp_path / "broken.mp4", *paths[1:]])

    answers = list(classifier.stream(videos))

    assert [type(answer) for answer in answers] == [Prediction, Skipped, Prediction, Prediction]
    assert [answer.path for answer in answers] == [str(paths[0]), str(tmp_path / "broken.mp4"), *map(str, paths[1:])]


def test_one_path_is_no_stream_of_letters(classifier, tiny_video):
    with pytest.raises(ValueError, match=r"tiny\.mp4 is one video; stream takes many: give a list"):
        list(classifier.stream(str(tiny_video)))


def test_a_stream_holds_no_more_videos_than_a_batch(checkpoint, tiny_video):
    classifier = Classifier.from_pretrained(checkpoint, batch_size=2)
    taken = []

    stream = classifier.stream(taken.append(i) or tiny_video for i in range(10))

    next(stream)
    assert len(taken) == 2


def test_one_binary_stream_is_no_stream_of_lines(classifier, tiny_video):
    with (
        tiny_video.open("rb") as stream,
        pytest.raises(ValueError, match="<bytes> is one video; stream takes many: give a list"),
    ):
        next(classifier.stream(stream))
