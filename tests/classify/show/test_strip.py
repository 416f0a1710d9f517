import numpy as np
import pytest
from foreseen import brightness_classifier, plain_video


def test_the_strip_shows_the_very_frames_that_the_model_saw(tmp_path):
    levels = list(range(20, 220, 5))  # 40 frames, each of its own grey
    path = plain_video(tmp_path / "grey.mp4", levels)

    strip = brightness_classifier(num_frames=4, frame_stride=5)(path).strip

    frames = [12, 17, 22, 27]
    assert strip.seconds == pytest.approx([frame / 10 for frame in frames])
    assert strip.pictures().mean((1, 2, 3)) == pytest.approx([levels[frame] for frame in frames], abs=2)


def test_a_long_clip_shows_sixteen_of_its_frames():
    frames = np.arange(40, dtype=np.uint8)[:, None, None, None].repeat(32, 1).repeat(300, 2).repeat(3, 3)

    strip = brightness_classifier(num_frames=40)(frames).strip

    assert len(strip.jpegs) == 16
    assert strip.num_frames == 40
    assert strip.seconds[0] == 0
    assert strip.seconds[-1] == pytest.approx(39 / 30)
