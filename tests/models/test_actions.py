import torch

from vidattn.models.actions import OneAction, SeveralActions


def test_nobody_counts_against_scores():
    logits = torch.tensor([2.0, -1.0, 3.0])
    for kind in (OneAction(), SeveralActions()):
        assert (kind.scores(logits) < kind.scores_of_given(logits)).all()
        assert kind.scores_of_given(logits).argmax() == 0
