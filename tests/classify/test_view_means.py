import torch

from vidattn.classify.view_means import means, means_in_batches


def test_groups_are_answered_together_and_averaged_each_by_itself():
    calls = []

    def answer(views):
        calls.append(len(views))
        return views

    groups = [torch.full((2, 3), float(i)) + torch.tensor([[0.0], [1.0]]) for i in range(5)]
    expected = [[i + 0.5] * 3 for i in range(5)]
    assert [mean.tolist() for mean in means(answer, groups)] == expected
    assert calls == [10]
    assert [mean.tolist() for mean in means_in_batches(answer, iter(groups), batch_size=4)] == expected
    assert calls == [10, 4, 4, 2]
    assert means(answer, []) == []
