"""What a contrast learns through and throws away."""

import torch

from vidattn.models.contrast_heads import GatheredBatchNorm, perceptron


def test_projector_and_predictor_are_moco_v3s():
    kinds = [type(layer).__name__ for layer in perceptron(8, 16, 4, 3)]
    assert kinds == ["Linear", "GatheredBatchNorm", "ReLU"] * 2 + ["Linear", "GatheredBatchNorm"]
    last = perceptron(8, 16, 4, 3)
    assert [(layer.in_features, layer.out_features, layer.bias) for layer in last if hasattr(layer, "in_features")] == [
        (8, 16, None), (16, 16, None), (16, 4, None),
    ]  # fmt: skip
    assert last[-1].weight is None


def test_on_one_process_the_norm_is_torchs():
    ours, theirs = GatheredBatchNorm(6), torch.nn.BatchNorm1d(6)
    x = torch.randn(9, 6)
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))
