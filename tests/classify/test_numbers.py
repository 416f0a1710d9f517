"""A network that answers NaN gives no answer, whatever it is asked."""

import numpy as np
import pytest
import torch
from foreseen import brightness_classifier, plain_video

from vidattn import Classifier


@pytest.fixture(scope="module")
def damaged(checkpoint):
    classifier = Classifier.from_pretrained(checkpoint)
    with torch.no_grad():
        classifier.network.head.weight[0, 0] = float("nan")
    return classifier


@pytest.mark.parametrize("ask", ["__call__", "timeline", "explain"])
def test_damaged_weights_are_named(damaged, ask):
    frames = np.zeros((12, 48, 64, 3), np.uint8)

    with pytest.raises(ValueError, match=r"answers NaN .* weights hold NaN or infinity \(head\.weight\); download"):
        getattr(damaged, ask)(frames)


def test_a_probe_is_no_accuracy_then(damaged, tmp_path):
    plain_video(tmp_path / "a.mp4", [30] * 12)
    (tmp_path / "list.txt").write_text("a.mp4 run\n")

    with pytest.raises(ValueError, match="the network answers NaN"):
        damaged.temporal_probe(tmp_path / "list.txt", progress=False)


def test_sound_weights_are_not_blamed():
    classifier = brightness_classifier()
    classifier.network.forward = lambda video: torch.full((len(video), 3), float("nan"))

    with pytest.raises(ValueError, match=r"though its weights are sound: numbers overflow in .*precision=fp32"):
        classifier(np.zeros((12, 48, 64, 3), np.uint8))
