import pytest
import torch

from vidattn.probing import LabelledRows


def test_means_and_moments_are_those_of_all_views():
    views = [torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[5.0, 4.0]])]
    rows = LabelledRows(views, torch.tensor([0, 1]))

    mean, deviation = rows.moments()

    everything = torch.cat(views)
    torch.testing.assert_close(mean, everything.mean(0))
    torch.testing.assert_close(deviation, everything.std(0, correction=0))
    assert rows.means().tolist() == [[2.0, 3.0], [5.0, 4.0]]
    assert (len(rows), rows.width, rows.take([1]).labels.tolist()) == (2, 2, [1])


def test_every_view_is_drawn():
    rows = LabelledRows([torch.arange(3.0)[:, None]], torch.tensor([0]))

    drawn = rows.draw([0] * 200, torch.Generator().manual_seed(0))

    assert set(drawn.flatten().tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    ("views", "labels", "message"),
    [
        ([], [], "0 videos with 0 labels"),
        ([torch.ones(1, 2)], [0, 1], "1 videos with 2 labels; wanted one label for each"),
        ([torch.ones(0, 2)], [0], "a video has no view"),
    ],
)
def test_rows_without_views_or_labels_are_refused(views, labels, message):
    with pytest.raises(ValueError, match=message):
        LabelledRows(views, torch.tensor(labels))
