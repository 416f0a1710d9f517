import torch

from vidattn.probing import LabelledRows
from vidattn.probing.attentive import AttentiveProbes
from vidattn.probing.joined import joined
from vidattn.probing.linear import Setting


def test_tokens_of_all_clips_lie_one_behind_another_and_a_short_video_repeats_its_own():
    first, second = torch.arange(12.0).view(2, 3, 2), torch.arange(6.0).view(1, 3, 2)

    one, other = joined(LabelledRows([first, second], torch.tensor([0, 1])), num_clips=2).views

    assert one.tolist() == [first.view(6, 2).tolist()]
    assert other.tolist() == [[*second[0].tolist(), *second[0].tolist()]]


def test_three_clips_of_which_two_differ_repeat_the_earlier():
    rows = LabelledRows([torch.tensor([[[1.0]], [[2.0]]])], torch.tensor([0]))

    assert joined(rows, num_clips=3).views[0].flatten().tolist() == [1, 1, 2]


def test_vectors_become_their_mean():
    rows = joined(LabelledRows([torch.tensor([[1.0, 2.0], [3.0, 6.0]]).half()], torch.tensor([0])), num_clips=2)

    assert rows.views[0].tolist() == [[2.0, 4.0]]
    assert rows.draw([0], torch.Generator().manual_seed(0)).tolist() == [[2.0, 4.0]]


def test_a_joined_probe_finds_what_no_single_clip_shows():
    """The class is whether both clips look alike, and each look is as frequent in both classes."""
    generator = torch.Generator().manual_seed(0)
    looks, labels = torch.randint(2, (64,), generator=generator), torch.arange(64) % 2
    clips = torch.stack((looks, looks ^ labels), 1)
    views = torch.nn.functional.one_hot(clips, 16).float()[:, :, None] * 4  # (64, 2 clips, 1 token, 16)
    rows = LabelledRows(list(views), labels)
    probes = AttentiveProbes([Setting(3e-3, 0.01)], epochs=30)

    right = [
        (probes.fit(some, 2).probabilities(some)[0].argmax(-1) == labels).float().mean().item()
        for some in (rows, joined(rows, 2))
    ]

    assert right[0] < 0.8 < 0.95 < right[1]
