import numpy as np
import pytest
import torch

from vidattn.data.readers.in_memory import FramesReader

FRAMES = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), np.uint8)


def test_frames_come_in_the_order_that_is_asked_for():
    reader = FramesReader(FRAMES, fps=10)
    assert np.array_equal(reader.frames([3, 0, 3]).numpy(), FRAMES[[3, 0, 3]])
    assert [index for index, _ in reader.stream([1, 4])] == [1, 4]
    assert reader.times.tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


def test_a_picture_is_kept_as_it_is_wanted():
    kept = FramesReader(torch.from_numpy(FRAMES)).frames([2], lambda picture: picture[:2])
    assert np.array_equal(kept[0].numpy(), FRAMES[2, :2])


@pytest.mark.parametrize("index", [-1, 5])
def test_an_index_outside_is_an_error(index):
    with pytest.raises(IndexError, match="frames 0 to 4"):
        FramesReader(FRAMES).frames([index])
