import pickle

import pytest
import torch

from vidattn.data.clips.reading import read_clips
from vidattn.data.clips.transforms import SpatialCrops
from vidattn.data.readers import open_video


@pytest.mark.parametrize("num_crops", [1, 3])
def test_crops_made_while_decoding_are_those_of_all_frames_at_once(shared_videos, num_crops):
    crops = SpatialCrops(112, num_crops)
    for name in ("actions/kinetics_sample.mp4", "odd/rotation_90.mov", "odd/push_ups.gif"):
        with open_video(shared_videos / name) as video:
            clips = [[0, 1, 2, 2], [1, 1, 2, 0]]
            got = read_clips(video, clips, crops)
            whole = crops(video.frames([0, 1, 2]).permute(0, 3, 1, 2))
        for one, wanted in zip(got, [crop[clip] for clip in clips for crop in whole], strict=True):
            assert torch.equal(one, wanted)
    assert pickle.loads(pickle.dumps(crops)).size == 112
