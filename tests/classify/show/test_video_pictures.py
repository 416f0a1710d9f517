"""A video is opened once for its boxes, and once more only when its card is looked at."""

import io

import numpy as np
import pytest
from PIL import Image
from untrained_detector import write_untrained

from vidattn import Detector
from vidattn.classify import sources
from vidattn.data.errors import VideoDecodeError
from vidattn.data.write_video import write_mp4

FRAMES = np.random.default_rng(0).integers(0, 255, (9, 32, 48, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    file = tmp_path_factory.mktemp("untrained") / "one.ckpt"
    write_untrained(file)
    return Detector.from_pretrained(file, device="cpu", least=0.01)


@pytest.fixture
def openings(monkeypatch):
    """What has been opened so far."""
    opened, real = [], sources.open_video
    monkeypatch.setattr(sources, "open_video", lambda file, reader: opened.append(file) or real(file, reader))
    return opened


def test_pictures_are_decoded_when_a_card_is_made_and_once(detector, openings, tmp_path):
    write_mp4(tmp_path / "a.mp4", FRAMES, 10)
    found = detector(tmp_path / "a.mp4")
    assert found.rows()
    assert found.to_dict()["tubes"]
    assert len(found.pictures) == 8
    assert len(openings) == 1
    card = found.to_html()
    assert card.count("data:image/jpeg;base64,") == 8
    assert found.to_html() == card
    assert len(openings) == 2


def test_a_stream_is_read_once_and_has_its_pictures_all_the_same(detector, openings, tmp_path):
    write_mp4(tmp_path / "a.mp4", FRAMES, 10)
    with (tmp_path / "a.mp4").open("rb") as stream:
        found = detector(stream)
    assert found.to_html().count("data:image/jpeg;base64,") == 8
    assert len(openings) == 1


def test_frames_of_an_array_are_shown_as_they_are(detector):
    flat = np.stack([np.full((32, 48, 3), 20 * level, np.uint8) for level in range(9)])
    pictures = detector(flat).pictures
    levels = {number: np.array(Image.open(io.BytesIO(picture))).mean() for number, picture in pictures.items()}
    assert levels == pytest.approx({number: 20 * number for number in pictures}, abs=2)


def test_a_file_that_is_gone_leaves_a_card_without_pictures_that_says_so(detector, tmp_path):
    write_mp4(tmp_path / "a.mp4", FRAMES, 10)
    found = detector(tmp_path / "a.mp4")
    (tmp_path / "a.mp4").unlink()
    card = found.to_html()
    assert "without pictures: no such file" in card
    assert "<table" in card
    with pytest.raises(VideoDecodeError, match="no such file"):
        found.pictures[next(iter(found.pictures))]
