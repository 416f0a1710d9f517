import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from vidattn.classify.classifier import Classifier
from vidattn.classify.sources import expand
from vidattn.data.errors import VideoDecodeError
from vidattn.data.videos.manifest import read_manifest


@pytest.fixture(scope="module")
def classifier(checkpoint):
    return Classifier.from_pretrained(checkpoint)


def test_an_empty_folder_among_several_is_skipped_and_the_others_answered(classifier, tiny_video, tmp_path):
    (tmp_path / "empty").mkdir()

    answers = classifier([tmp_path / "empty", tiny_video, f"{tmp_path}/*.mp4"], progress=False)

    assert [answer.path for answer in answers] == [str(tiny_video)]
    assert [(os.path.basename(path), reason.split(";")[0]) for path, reason in answers.skipped] == [
        ("empty", "no video in this folder (it holds no files)"),
        ("*.mp4", "no file matches"),
    ]
    with pytest.raises(VideoDecodeError, match="no video in this folder"):
        classifier(tmp_path / "empty")


def test_a_file_object_serves_again_and_from_anywhere(classifier, tiny_video):
    with tiny_video.open("rb") as stream:
        stream.read(100)
        answers = [classifier(stream), classifier(stream)]

    assert (answers[0].probabilities == answers[1].probabilities).all()
    assert (answers[0].probabilities == classifier(tiny_video).probabilities).all()


def test_whatever_gives_bytes_is_a_stream(classifier, tiny_video):
    class Reads:
        def read(self):
            return bytearray(tiny_video.read_bytes())

    assert (classifier(Reads()).probabilities == classifier(tiny_video).probabilities).all()


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_bytes_of_any_kind_are_a_video(classifier, tiny_video, kind):
    data = kind(tiny_video.read_bytes())
    wanted = classifier(tiny_video).probabilities

    assert (classifier(data).probabilities == wanted).all()
    assert (next(classifier.stream([data])).probabilities == wanted).all()
    assert classifier.timeline(data, progress=False).path == "<bytes>"
    assert classifier.explain(data, gradients=False).probability == pytest.approx(wanted.max(), abs=1e-4)
    with pytest.raises(ValueError, match="<bytes> is one video; stream takes many"):
        next(classifier.stream(data))


@pytest.mark.parametrize("source", [[bytes(10**6)] * 3, {"video": bytes(10**6)}, 10**4000])
@pytest.mark.parametrize("ask", ["timeline", "explain"])
def test_a_message_is_shorter_than_a_video(classifier, ask, source):
    with pytest.raises(ValueError, match="is not one video; wanted a path") as caught:
        getattr(classifier, ask)(source)

    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("ask", ["__call__", "timeline", "explain"])
def test_a_file_that_is_open_for_writing_is_refused(classifier, tmp_path, ask):
    with (
        (tmp_path / "a.mp4").open("wb") as file,
        pytest.raises(ValueError, match=r"a\.mp4 was opened for writing only"),
    ):
        getattr(classifier, ask)(file)


def test_the_home_folder_may_be_abbreviated(tiny_video, monkeypatch):
    monkeypatch.setenv("HOME", str(tiny_video.parent))

    assert expand("~/tiny.mp4").videos == [str(tiny_video)]
    assert expand("~/*.mp4").videos == [str(tiny_video)]


@pytest.mark.parametrize("ask", ["__call__", "timeline", "explain"])
@pytest.mark.parametrize(
    ("source", "message"),
    [
        (io.StringIO("a.mp4"), "StringIO was opened as text; .*open.*'rb'"),
        (None, "None is n.*wanted a path, a video as bytes or a binary stream, or frames uint8"),
        (5, "5 is n.*wanted a path"),
    ],
)
def test_what_is_no_video_is_said(classifier, ask, source, message):
    with pytest.raises(ValueError, match=message):
        getattr(classifier, ask)(source)


@pytest.mark.parametrize("ask", ["timeline", "explain"])
def test_one_video_is_wanted_where_there_is_one_answer(classifier, tiny_video, ask):
    with pytest.raises(ValueError, match="is not one video; wanted a path"):
        getattr(classifier, ask)([tiny_video])
    with pytest.raises(VideoDecodeError, match=r"\*\.mp4: no such file; a pattern may stand for several videos"):
        getattr(classifier, ask)("nowhere/*.mp4")


def test_an_address_is_not_a_missing_folder(classifier):
    with pytest.raises(VideoDecodeError, match="addresses are not read here: download it first"):
        classifier("https://example.org/a.mp4")


@pytest.mark.parametrize("fps", [0, -3])
def test_frames_have_a_rate(classifier, fps):
    with pytest.raises(ValueError, match=f"fps={fps} must be more than 0"):
        classifier(np.zeros((8, 32, 32, 3), np.uint8), fps=fps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "image_size=0 must be at least 1, and is 32 for this checkpoint"),
        ({"image_size": -16}, "image_size=-16 must be at least 1"),
        ({"sampling": "uniform"}, r"sampling='uniform' is no rule; .* e\.g\. UniformSampling\(\d+\)"),
    ],
)
def test_impossible_preparation_is_refused(checkpoint, options, message):
    with pytest.raises(ValueError, match=message):
        Classifier.from_pretrained(checkpoint, **options)


def test_a_classifier_tells_what_it_is(classifier):
    assert repr(classifier).startswith(
        f"<Classifier of {len(classifier.class_names)} classes ({classifier.class_names[0]}"
    )
    assert repr(classifier).endswith(f"torch.float32 on {classifier.device}>")


def test_a_folder_stands_for_the_same_videos_here_and_in_lists(tmp_path, tiny_video):
    for name in (
        "a.gif",
        "b.WEBP",
        "c.ivf",
        "d.h265",
        "e.m2v",
        "f.mxf",
        "g.y4m",
        "._a.mp4",
        ".hidden.mp4",
        "notes.txt",
    ):
        shutil.copy(tiny_video, tmp_path / name)
    listed = [video.path for video in read_manifest(tmp_path).videos]

    assert expand(tmp_path).videos == listed
    assert [Path(path).name[0] for path in listed] == list("abcdefg")


def test_a_folder_without_videos_says_what_is_in_it(tmp_path):
    for name in ("a.txt", "b.TXT", "c.exr", "README"):
        (tmp_path / name).touch()

    with pytest.raises(VideoDecodeError, match=r"the files in it end in: \.txt \(2\), .*\.exr \(1\).*a video ends in"):
        expand(tmp_path)
