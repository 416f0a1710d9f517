"""What everything that shows videos to a network shares: its checks, and how a source becomes answers."""

import numpy as np
import pytest
import torch

from vidattn.classify.clip_views import ClipViews
from vidattn.classify.preparation import Preparation
from vidattn.classify.sources import Skipped
from vidattn.classify.video_runner import VideoRunner
from vidattn.data.clips.sampling import StrideSampling


class Brightness(VideoRunner[float]):
    """Answers with the mean of what its network makes of a video, batch by batch."""

    def _answer(self, several):
        self.sizes = [len(clips) for views in several for clips in self.batches(views.video)]
        means = [torch.cat([self.network(clips) for clips in self.batches(views.video)]).mean() for views in several]
        return [mean.item() for mean in means]


def runner(**options):
    preparation = Preparation(StrideSampling(4, 1), 16, num_crops=3, mean=(0, 0, 0), std=(1, 1, 1))
    chosen = {"device": "cpu", "precision": "fp32", "batch_size": 2, "reader": "pyav"} | options
    return Brightness(torch.nn.Identity(), preparation, **chosen)


def frames(level):
    return np.full((8, 16, 24, 3), level, np.uint8)


def test_one_source_has_one_answer_and_a_list_has_a_list(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    shown = runner()

    answers, skipped, several = shown._all(frames(51), 30.0, "", False)
    assert (answers, skipped, several) == ([pytest.approx(0.2)], [], False)
    assert shown.sizes == [2, 1]  # three crops, two at a time

    answers, skipped, several = shown._all([frames(0), tmp_path / "broken.mp4", frames(255)], 30.0, "", False)
    assert (answers, several) == ([0.0, 1.0], True)
    assert [type(one) for one in skipped] == [Skipped]
    assert isinstance(shown.views(frames(0)), ClipViews)


def test_the_network_sees_clips_in_its_own_precision():
    shown = runner(precision="bf16")

    (clips,) = shown.batches(torch.zeros(1, 3, 4, 16, 16, dtype=torch.uint8))

    assert clips.dtype == torch.bfloat16
    assert not shown.network.training


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "fp16"}, "precision='fp16' is unknown; choose fp32 or bf16"),
        ({"batch_size": 0}, "batch_size=0 must be at least 1"),
        ({"device": "nowhere"}, "nowhere"),
    ],
)
def test_what_cannot_run_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        runner(**options)
