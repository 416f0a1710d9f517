import pytest
import torch
from small_networks import SIZES as SMALL

from vidattn.models.config import VideoTransformerConfig
from vidattn.models.pixels import motion
from vidattn.models.presets import build_network


def clip():
    return torch.randn(2, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0))


def test_motion_is_brightness_and_its_change_since_the_frame_before_and_to_the_one_behind():
    video = clip()
    found = motion(video)

    for b, t, y, x in torch.cartesian_prod(*map(torch.arange, (2, 4, 3, 3))).tolist():
        bright = [sum(video[b, c, frame, y, x].item() for c in range(3)) / 3 for frame in range(4)]
        before = 3 * abs(bright[t] - bright[t - 1]) if t else 0
        behind = 3 * abs(bright[t + 1] - bright[t]) if t < 3 else 0
        torch.testing.assert_close(found[b, :, t, y, x], torch.tensor([bright[t], before, behind]))


def test_a_still_clip_has_no_motion():
    still = clip()[:, :, :1].expand(-1, -1, 4, -1, -1)

    assert not motion(still)[:, 1:].any()
    assert not motion(still[:, :, :1])[:, 1:].any()


@pytest.mark.parametrize("attention", ["divided", "space>time(1)", "space"])
@pytest.mark.parametrize("tubelet_size", [1, 2])
def test_a_network_that_sees_motion_is_one_of_colours_that_is_shown_it(attention, tubelet_size):
    sizes = SMALL | {"attention": attention, "tubelet_size": tubelet_size, "depth": 1}
    torch.manual_seed(0)
    plain = build_network(VideoTransformerConfig(**sizes)).eval()
    network = build_network(VideoTransformerConfig(**sizes, pixels="motion")).eval()
    network.load_state_dict(plain.state_dict())

    torch.testing.assert_close(network(clip()), plain(motion(clip())))
    keep = torch.tensor([[0, 2], [3, 1]])
    kept, shown = network.features(clip(), keep), plain.features(motion(clip()), keep)
    torch.testing.assert_close(kept.tokens, shown.tokens)


def test_frames_do_not_stand_alone():
    for attention in ("space", "space>time(1)"):
        assert not build_network(VideoTransformerConfig(**SMALL | {"attention": attention}, pixels="motion")).each_alone


def grey(video):
    return video.mean(1, keepdim=True).expand_as(video)


def test_pixels_of_ones_own_stand_at_an_import_path():
    network = build_network(VideoTransformerConfig(**SMALL | {"attention": "joint"}, pixels=f"{__name__}.grey")).eval()

    swapped = clip()[:, [2, 0, 1]]
    torch.testing.assert_close(network(swapped), network(clip()))
