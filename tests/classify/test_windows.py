from itertools import pairwise

import numpy as np
import pytest
import torch
from encode import frame_number

from vidattn.classify.windows import clips_in, sliding_windows, stream_clips
from vidattn.data.clips.sampling import StrideSampling, VideoTimes
from vidattn.data.clips.transforms import SpatialCrops
from vidattn.data.readers.pyav import PyAVReader


@pytest.mark.parametrize(
    ("duration", "window", "step"), [(60.0, 8.0, 4.0), (61.3, 8.5, 2.1), (3.0, 3.0, 1.0), (9.9, 1, 1)]
)
def test_windows_cover_the_whole_video_without_a_gap(duration, window, step):
    windows = sliding_windows(duration, window, step)

    assert windows[0][0] == 0
    assert windows[-1][1] == pytest.approx(duration)
    assert all(end - start == pytest.approx(window) for start, end in windows)
    assert all(0 < b[0] - a[0] <= step + 1e-9 for a, b in pairwise(windows))


@pytest.mark.parametrize(("window", "step"), [(2.0, 3.0), (2.0, 0.0), (-1.0, -2.0)])
def test_windows_that_would_leave_gaps_are_refused(window, step):
    with pytest.raises(ValueError, match="wanted 0 < step <= window, so that nothing is missed"):
        sliding_windows(10.0, window, step)


def test_a_window_in_a_gap_sees_the_frame_that_is_still_on_show():
    times = VideoTimes(4, fps=1, times=[0.0, 0.5, 20.0, 20.5])

    clips = clips_in([(0.0, 2.0), (5.0, 7.0), (18.0, 19.9), (19.0, 21.0)], times, StrideSampling(2, 1))

    assert clips == [[0, 1], [1, 1], [1, 1], [2, 3]]


def test_streamed_clips_are_those_of_random_access(tiny_video):
    clips = [[0, 6, 12], [6, 12, 18], [7, 20, 33], [40, 47, 47]]
    crops = SpatialCrops(32, 3)
    with PyAVReader(tiny_video) as reader:
        streamed = torch.stack(list(stream_clips(reader, clips, crops)))
        wanted = [torch.stack(crops(reader.frames(clip).permute(0, 3, 1, 2)), 0).transpose(1, 2) for clip in clips]

    assert torch.equal(streamed, torch.stack(wanted))


def test_streamed_clips_take_each_frame_once_and_hold_few(tiny_video):
    seen = []

    class Noting(SpatialCrops):
        def forward(self, clip):
            seen.append(frame_number(np.array(clip[0].permute(1, 2, 0))))
            return super().forward(clip)

    with PyAVReader(tiny_video) as reader:
        stream = stream_clips(reader, [list(range(i, i + 8)) for i in range(0, 41, 2)], Noting(32, 1))
        next(stream)
        assert len(seen) == 8  # nothing is decoded before it is needed
        list(stream)
        assert seen == list(range(48))
