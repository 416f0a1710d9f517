import numpy as np
import pytest
from encode import frame_number, numbered_frames

from vidattn.data.readers import open_video
from vidattn.data.write_video import write_mp4


@pytest.mark.parametrize("fps", [8, 29.97, 0.5])
def test_what_is_written_is_read_back_in_order_at_its_rate(tmp_path, fps):
    write_mp4(tmp_path / "a.mp4", numbered_frames(6), fps)

    with open_video(tmp_path / "a.mp4") as video:
        assert [frame_number(frame) for frame in video.frames(range(6)).numpy()] == list(range(6))
        assert video.fps == pytest.approx(fps, rel=1e-4)


def test_a_frame_depends_on_no_other(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (4, 32, 48, 3), dtype=np.uint8)
    write_mp4(tmp_path / "all.mp4", frames, 8)
    write_mp4(tmp_path / "one.mp4", frames[2:3], 8)

    with open_video(tmp_path / "all.mp4") as every, open_video(tmp_path / "one.mp4") as one:
        assert (every.frames([2]) == one.frames([0])).all()
