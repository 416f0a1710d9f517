import numpy as np
import pytest
import torch
from encode import encode_video
from foreseen import brightness_classifier, plain_video

from vidattn import Classifier


def test_views_are_averaged(checkpoint, tiny_video):
    one = Classifier.from_pretrained(checkpoint)
    classifier = Classifier.from_pretrained(checkpoint, num_clips=2, num_crops=3, batch_size=4)

    answer = classifier(tiny_video)

    views = classifier.views(tiny_video)
    assert views.video.shape == (6, 3, 4, 32, 32)
    assert views.video[0].ne(views.video[2]).any()
    assert views.video[0].ne(views.video[3]).any()
    alone = torch.cat([one.probabilities(view[None]) for view in views.video])
    np.testing.assert_allclose(answer.probabilities, alone.mean(0).numpy(), atol=1e-6)
    assert answer.num_views == 6
    assert "the mean over 6 views; the frames are those of the middle one" in str(answer)
    assert "the mean over 6 views" in answer.to_html()
    assert "the mean over" not in str(one(tiny_video))


def test_a_video_shorter_than_a_clip_says_what_was_done(tmp_path):
    answer = brightness_classifier(num_frames=4, frame_stride=4)(plain_video(tmp_path / "short.mp4", [120] * 6))

    assert answer.name == "grey"
    assert answer.notes == ["the video is shorter than a clip: 1 of its 4 frames repeat others"]
    assert "1 of its 4 frames repeat" in str(answer)


def test_a_phone_clip_is_seen_upright_and_by_its_own_clock(tmp_path):
    frames = np.zeros((12, 64, 96, 3), np.uint8)
    frames[:, :, :48] = 230  # the left half is light; turned by the display matrix, it is the lower or the upper one
    ticks = [0, 1, 2, 3, 4, 5, 30, 31, 32, 33, 34, 60]
    path = encode_video(
        tmp_path / "phone.mp4",
        frames,
        codec="libx265",
        options={"x265-params": "log-level=none"},
        pts=ticks,
        rotation=90,
    )
    classifier = brightness_classifier(num_frames=12, frame_stride=1)

    views = classifier.views(path)

    top, bottom, left, right = (
        views.video[0][..., place[0], place[1]].float().mean()
        for place in (
            (slice(0, 8), slice(None)),
            (slice(-8, None), slice(None)),
            (slice(None), slice(0, 8)),
            (slice(None), slice(-8, None)),
        )
    )
    assert abs(top - bottom) > 180  # upright: light and dark lie above one another
    assert abs(left - right) < 10
    assert views.seconds[0] == pytest.approx([tick / 30 for tick in ticks], abs=1e-3)
