import tracemalloc

import pytest
from encode import encode_video, numbered_frames

from vidattn.data.clips.reading import read_clips
from vidattn.data.clips.transforms import SpatialCrops
from vidattn.data.readers import open_video


@pytest.mark.parametrize("reader", ["pyav", "decord"])
def test_memory_is_taken_for_what_is_kept_of_pictures(tmp_path, reader):
    path = encode_video(tmp_path / "a.mp4", numbered_frames(100, 240, 320), options={"g": "12"})
    with open_video(path, reader) as video:
        tracemalloc.start()
        (kept,) = read_clips(video, [list(range(100))], SpatialCrops(32, 1))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert kept.shape == (100, 3, 32, 32)
    assert peak < 5e6  # numpy's own; the pictures take 23 MB
