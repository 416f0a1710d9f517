"""Other ways to read the frames of a clip: what is compared gives the same."""

import pytest
import torch

from vidattn.bench.rivals import WAYS, ours


@pytest.mark.parametrize("way", WAYS)
def test_all_ways_give_the_same_frames_of_a_plain_video(tiny_video, way):
    if way in ("decord", "torchcodec"):
        pytest.importorskip("decord" if way == "decord" else "torchcodec.decoders", exc_type=Exception)
    for indices in ([5, 9, 13, 17], [0, 47], [40, 41, 42]):
        assert torch.equal(WAYS[way](str(tiny_video), indices), ours(str(tiny_video), indices))
