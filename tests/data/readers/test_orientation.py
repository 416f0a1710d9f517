import numpy as np
import pytest
from encode import encode_video, numbered_frames

from vidattn.data.readers import open_video
from vidattn.data.readers.orientation import upright

TURNS = [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)]
MIRRORS = [(-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0)]


@pytest.mark.parametrize("matrix", [*TURNS, *MIRRORS])
def test_upright_puts_each_pixel_where_the_matrix_says(matrix):
    image = np.arange(12).reshape(3, 4, 1).repeat(3, -1)

    shown = upright(image, matrix)

    a, b, c, d = matrix
    y, x = np.mgrid[:3, :4]
    new_x, new_y = a * x + c * y, b * x + d * y
    expected = np.empty((np.ptp(new_y) + 1, np.ptp(new_x) + 1, 3), int)
    expected[new_y - new_y.min(), new_x - new_x.min()] = image
    assert np.array_equal(shown, expected)


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_reader_turns_by_the_angle_that_was_written(tmp_path, degrees):
    frames = numbered_frames(3)
    plain = encode_video(tmp_path / "plain.mp4", frames)
    turned = encode_video(tmp_path / "turned.mp4", frames, rotation=degrees)

    with open_video(plain) as a, open_video(turned) as b:
        expected = np.rot90(a.frames([0, 2]).numpy(), degrees // 90, axes=(1, 2))  # counterclockwise, as PyAV's
        assert np.array_equal(b.frames([0, 2]).numpy(), expected)


@pytest.mark.parametrize(("degrees", "size"), [(0, (320, 568)), (90, (568, 320)), (180, (320, 568)), (270, (568, 320))])
def test_phone_recordings_stand_upright_as_decord_turns_them(shared_videos, degrees, size):
    decord = pytest.importorskip("decord")  # turns by code of its own
    path = shared_videos / "odd" / f"rotation_{degrees}.mov"

    with open_video(path) as video:
        frames = video.frames([0, 2]).numpy()

    assert frames.shape[1:3] == size
    assert np.array_equal(frames, decord.VideoReader(str(path), num_threads=1).get_batch([0, 2]).asnumpy())
