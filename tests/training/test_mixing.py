import pytest
import torch

from vidattn.training.mixing import Mixing

LABELS = torch.tensor([0, 1, 2, 0])


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
        video, targets = mixing(clips(), LABELS)

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

    mixed, targets = Mixing(3, mixup_alpha=0.8, cutmix_alpha=0.0)(video, LABELS)

    share = targets[1, 1]  # clip 1 has label 1, its neighbour has label 0
    assert 0 < share < 1
    torch.testing.assert_close(mixed, share * video + (1 - share) * video.roll(1, 0))


def test_cutmix_cuts_the_same_box_out_of_every_frame():
    video = clips()
    torch.manual_seed(1)

    mixed, targets = Mixing(3, mixup_alpha=0.0, cutmix_alpha=1.0)(video, LABELS)

    foreign = (mixed != video).all(1)  # (B, T, H, W)
    assert torch.equal(mixed.movedim(1, -1)[foreign], video.roll(1, 0).movedim(1, -1)[foreign])
    assert 0 < foreign.sum() < foreign.numel()
    assert (foreign == foreign[:1, :1]).all()
    rows, columns = foreign[0, 0].any(1), foreign[0, 0].any(0)
    assert torch.equal(foreign[0, 0], rows[:, None] & columns)  # a box
    torch.testing.assert_close(targets[1, 0], foreign[0, 0].float().mean())


def test_mixing_with_probability_zero_leaves_clips_and_labels():
    video, targets = Mixing(3, 0.8, 1.0, probability=0.0)(clips(), LABELS)

    assert torch.equal(video, clips())
    assert torch.equal(targets, torch.eye(3)[LABELS])


def test_both_alphas_zero_leave_clips_and_labels():
    video, targets = Mixing(3, 0.0, 0.0)(clips(), LABELS)

    assert torch.equal(video, clips())
    assert torch.equal(targets.argmax(1), LABELS)
