import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from vidattn.classify.show.people import small_jpeg, telling_frames
from vidattn.classify.video_detections import VideoDetections
from vidattn.detection.tubes import Tube

DARK = small_jpeg(Image.new("RGB", (64, 32)))
TUBES = [
    Tube("a.mp4", 1, 0.9, np.arange(2, 5), np.array([[0.25, 0.25, 0.75, 0.75]] * 3)),
    Tube("a.mp4", 0, 0.5, np.arange(0, 1), np.array([[0.0, 0.0, 0.5, 0.5]])),
]


def found(tubes=TUBES, **more):
    return VideoDetections("a<b>.mp4", ["run", "jump & land"], [n / 10 for n in range(10)], [], tubes, **more)


def pictures_of(html):
    uris = re.findall(r"data:image/jpeg;base64,([^\"]+)", html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(uri)))).astype(int) for uri in uris]


def test_the_card_shows_each_kept_frame_with_the_boxes_that_are_on_it():
    html = found(pictures={3: DARK, 7: DARK})._repr_html_()
    boxed, empty = pictures_of(html)
    assert boxed.shape == (200, 400, 3)  # enlarged, so that names can be read
    assert boxed[100, 100].max() > 120  # the left side
    assert boxed[100, 200].max() < 60  # the inside
    assert empty.max() < 60
    assert "0.30 s, frame 3" in html
    assert "http" not in html


def test_the_table_says_who_acts_when_and_escapes_what_it_shows():
    html = found()._repr_html_()
    assert "a&lt;b&gt;.mp4" in html
    assert "jump &amp; land" in html
    bars = re.findall(r"left:([\d.]+)%;width:([\d.]+)%", html)
    assert [tuple(map(float, bar)) for bar in bars] == [
        pytest.approx((20, 30)),  # frames 2, 3 and 4 of ten
        pytest.approx((0, 10)),
    ]


def test_many_tubes_are_cut_off_and_nobody_is_said():
    many = found([TUBES[1]] * 50).to_html()
    assert many.count("<tr") == 1 + 40
    assert "10 tubes that are less sure are left out here" in many
    assert "nobody was found" in found([]).to_html()


def test_frames_are_chosen_for_the_tubes_and_no_frame_twice():
    assert telling_frames(TUBES, 10, 2) == [0, 3]
    assert telling_frames([], 3, 8) == [0, 1, 2]
    chosen = telling_frames(TUBES, 10)
    assert {0, 3} <= set(chosen)
    assert len(chosen) == len(set(chosen)) <= 8
