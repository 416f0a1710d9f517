import numpy as np
import torch

from vidattn.classify.listed_views import listed_views
from vidattn.classify.preparation import Preparation
from vidattn.data.clips.sampling import StrideSampling
from vidattn.data.videos.manifest import Video
from vidattn.data.write_video import write_mp4


def test_all_views_of_a_video_are_in_one_batch_and_who_cannot_be_read_is_skipped(tmp_path):
    for number in range(3):
        write_mp4(tmp_path / f"{number}.mp4", np.full((8, 16, 32, 3), 60 * number, np.uint8), 8)
    (tmp_path / "1.mp4").write_bytes(b"no video")
    videos = [Video(str(tmp_path / f"{number}.mp4"), 0) for number in range(3)]
    sampling = StrideSampling(num_frames=2, frame_stride=1)
    prepared = Preparation(sampling, 16, (0.0,) * 3, (1.0,) * 3, num_clips=2, num_crops=3)

    batches = list(listed_views(videos, prepared, "pyav", batch_size=7))

    assert [batch["video_id"].tolist() for batch in batches] == [[0] * 6, [], [2] * 6]
    assert [len(batch["skipped"]) for batch in batches] == [0, 1, 0]
    assert batches[0]["video"].shape == (6, 3, 2, 16, 16)
    assert batches[0]["video"].dtype == torch.uint8
