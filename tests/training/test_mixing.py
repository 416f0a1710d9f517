from itertools import product
from types import SimpleNamespace

import pytest
import torch

from vidattn.data import Loading
from vidattn.training.classification import check_mixable
from vidattn.training.mixing import Mixing, apart

LABELS = torch.tensor([0, 1, 2, 0])
IDS = torch.tensor([8, 3, 5, 6])


def clips():
    """Four clips whose every pixel differs, and stays the same from frame to frame but for a known offset."""
    torch.manual_seed(0)
    still = torch.rand(4, 3, 1, 16, 16)
    return still + 10 * torch.arange(5).view(5, 1, 1)  # frame t is the first frame plus 10 t


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.8, 0.0), (0.0, 1.0), (0.8, 1.0)])
def test_targets_are_distributions_over_the_two_labels_that_were_mixed(mixup, cutmix):
    mixing = Mixing(3, mixup, cutmix)
    for seed in range(10):
        torch.manual_seed(seed)
        video, targets = mixing(clips(), LABELS, IDS)

        assert video.shape == (4, 3, 5, 16, 16)
        assert type(video) is torch.Tensor
        torch.testing.assert_close(targets.sum(1), torch.ones(4))
        partner = LABELS.roll(1)  # torchvision mixes each clip with its neighbour
        own = targets.gather(1, torch.stack((LABELS, partner), 1))
        same = partner == LABELS
        torch.testing.assert_close(torch.where(same, own[:, 0], own.sum(1)), torch.ones(4))


def test_mixup_is_the_targets_convex_combination_in_every_frame():
    video = clips()
    torch.manual_seed(3)

    mixed, targets = Mixing(3, mixup_alpha=0.8, cutmix_alpha=0.0)(video, LABELS, IDS)

    share = targets[1, 1]  # clip 1 has label 1, its neighbour has label 0
    assert 0 < share < 1
    torch.testing.assert_close(mixed, share * video + (1 - share) * video.roll(1, 0))


def test_cutmix_cuts_the_same_box_out_of_every_frame():
    video = clips()
    torch.manual_seed(1)

    mixed, targets = Mixing(3, mixup_alpha=0.0, cutmix_alpha=1.0)(video, LABELS, IDS)

    foreign = (mixed != video).all(1)  # (B, T, H, W)
    assert torch.equal(mixed.movedim(1, -1)[foreign], video.roll(1, 0).movedim(1, -1)[foreign])
    assert 0 < foreign.sum() < foreign.numel()
    assert (foreign == foreign[:1, :1]).all()
    rows, columns = foreign[0, 0].any(1), foreign[0, 0].any(0)
    assert torch.equal(foreign[0, 0], rows[:, None] & columns)  # a box
    torch.testing.assert_close(targets[1, 0], foreign[0, 0].float().mean())


def test_mixing_with_probability_zero_leaves_clips_and_labels():
    video, targets = Mixing(3, 0.8, 1.0, probability=0.0)(clips(), LABELS, IDS)

    assert torch.equal(video, clips())
    assert torch.equal(targets, torch.eye(3)[LABELS])


def test_both_alphas_zero_leave_clips_and_labels():
    video, targets = Mixing(3, 0.0, 0.0)(clips(), LABELS, IDS)

    assert torch.equal(video, clips())
    assert torch.equal(targets.argmax(1), LABELS)


@pytest.mark.parametrize("alpha", [-1.0, float("inf"), float("nan")])
def test_an_alpha_that_mixes_nothing_is_refused(alpha):
    with pytest.raises(ValueError, match=r"must be 0 \(none\) or more, and finite"):
        Mixing(3, 0.0, alpha)


@pytest.mark.parametrize(("videos", "clips_of_each"), [(2, 2), (2, 4), (3, 2), (5, 3)])
def test_each_clip_is_mixed_with_one_of_another_video(videos, clips_of_each):
    ids = torch.arange(videos).repeat_interleave(clips_of_each)
    neighbours = ids[apart(ids)]
    assert (neighbours != neighbours.roll(1)).all()

    torch.manual_seed(0)
    marked = ids.float().view(-1, 1, 1, 1, 1).expand(-1, 3, 2, 4, 4)  # every pixel is its video's number
    mixed, targets = Mixing(videos, 0.8, 0.0)(marked, ids, ids)

    torch.testing.assert_close(mixed[:, 0, 0, 0, 0], targets @ torch.arange(videos).float())
    assert (targets > 0).sum(1).eq(2).all()
    assert targets.gather(1, ids[:, None]).unique().numel() == 1  # the same share of its own in every clip


def test_no_clip_is_mixed_with_its_own_video_where_that_can_be_avoided():
    """All batches of six clips: a balanced epoch may draw a video more often than another."""
    for ids in map(torch.tensor, product(range(3), repeat=6)):
        order = apart(ids)
        assert order.sort().values.tolist() == list(range(6))
        if ids.bincount().max() <= 3:
            neighbours = ids[order]
            assert (neighbours != neighbours.roll(1)).all()


@pytest.mark.parametrize(
    ("batch_size", "clips_per_video", "videos", "processes", "held"),
    [(1, 1, 12, 1, 1), (2, 2, 12, 1, 1), (8, 1, 1, 1, 1), (8, 1, 6, 4, 1)],
)
def test_a_batch_of_one_video_is_refused(batch_size, clips_per_video, videos, processes, held):
    loading = Loading(batch_size=batch_size, clips_per_video=clips_per_video)
    data = SimpleNamespace(loading=loading, num_videos={"train": videos}.get)
    message = (
        rf"data\.batch_size={batch_size} with data\.clips_per_video={clips_per_video} holds {held}; make the batch "
    )
    with pytest.raises(ValueError, match=message):
        check_mixable(data, processes)


def test_a_batch_of_two_videos_can_be_mixed():
    check_mixable(SimpleNamespace(loading=Loading(batch_size=4, clips_per_video=2), num_videos={"train": 2}.get), 1)
