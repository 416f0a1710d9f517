import pytest
import torch

from vidattn.models.config import VideoTransformerConfig
from vidattn.models.frame_by_frame import FrameByFrame


@pytest.mark.parametrize("attention", ["space", "space>time(2)"])
@pytest.mark.parametrize("pooling", ["class_token", "mean", "normed_mean"])
def test_what_is_known_of_each_frame_is_enough_to_answer(attention, pooling):
    torch.manual_seed(0)
    config = VideoTransformerConfig(
        attention, num_classes=3, num_frames=4, image_size=16, patch_size=8, embed_dim=16, depth=2, num_heads=2,
        pooling=pooling, init_std=0.3,
    )  # fmt: skip
    network = config.build().eval()
    video = torch.randn(2, 3, 6, 16, 16)

    assert isinstance(network, FrameByFrame)
    assert network.each_alone
    with torch.no_grad():
        alone = torch.cat([network.of_frames(video[:, :, [frame]]) for frame in range(6)], dim=1)
        torch.testing.assert_close(network.over_frames(alone), network(video))
        changed = network.of_frames(video.roll(1, 2))
    torch.testing.assert_close(changed, alone.roll(1, 1))


def test_a_tubelet_is_of_several_frames():
    config = VideoTransformerConfig(
        "space>time(1)", num_classes=3, num_frames=4, image_size=16, patch_size=8, embed_dim=16, depth=1, num_heads=2,
        tubelet_size=2,
    )  # fmt: skip

    assert not config.build().each_alone
