"""Attention comes in block by block, and in the end nothing is left of how it came."""

import pytest
import pytorch_lightning as pl
import torch
from golden import drawn
from in_memory import fitted
from small_networks import SIZES

from vidattn.models.config import VideoTransformerConfig
from vidattn.training.progressive import ProgressiveAttention
from vidattn.training.video_classifier import VideoClassifier

CLIPS = (drawn("progressive", torch.Size((4, 3, 4, 32, 32))) * 60 + 128).clamp(0, 255).to(torch.uint8)
LABELS = torch.tensor([0, 1, 2, 3])


def task(**changes):
    torch.manual_seed(0)
    network = VideoTransformerConfig(**(SIZES | {"attention": "divided", "init_std": 0.3} | changes))
    return VideoClassifier(network, optimizer=lambda groups: torch.optim.SGD(groups, lr=0.1))


class Watch(pl.Callback):
    """Keeps, of each training step, the output of every block's last step and its gradients."""

    def __init__(self):
        self.rows = []

    def on_after_backward(self, trainer, module):
        steps = [step for block in module.network.blocks for step in block.steps]
        missing = [name for name, one in module.named_parameters() if one.grad is None]
        largest = [max(one.grad.abs().max().item() for one in step.parameters()) for step in steps]
        self.rows.append((missing, largest))


@pytest.mark.parametrize("recomputed", [False, True])
def test_blocks_come_in_from_below_and_gradients_are_zeros_before(recomputed):
    watch = Watch()
    fitted(
        task(gradient_checkpointing=recomputed), CLIPS, LABELS, [ProgressiveAttention(2), watch], size=2, epochs=3
    )  # two blocks, two steps an epoch: factors (0, 0), (1/2, 0), (1, 0), (1, 1/2), (1, 1), (1, 1)
    assert [missing for missing, _ in watch.rows] == [[]] * 6
    moving = [[value > 0 for value in largest] for _, largest in watch.rows]
    assert moving == [[False] * 4, [True, True, False, False], [True, True, False, False], *[[True] * 4] * 3]


def test_the_first_step_is_that_of_a_network_without_attention():
    made, _ = fitted(task(), CLIPS, LABELS, [ProgressiveAttention(0.5)])
    plain = task()
    for block in plain.network.blocks:
        for step in block.steps:
            step.forward = lambda x, grid: torch.zeros_like(x)
    fitted(plain, CLIPS, LABELS, [])
    for name, weights in plain.network.state_dict().items():
        torch.testing.assert_close(made.network.state_dict()[name], weights, msg=name)


def test_in_the_end_the_network_is_the_plain_one():
    made, _ = fitted(task(), CLIPS, LABELS, [ProgressiveAttention(1)], epochs=2)
    assert not any(one._forward_hooks for one in made.modules())
    plain = task()
    plain.load_state_dict(made.state_dict())
    assert torch.equal(plain.eval()(CLIPS), made.eval()(CLIPS))


def test_a_rise_that_does_not_end_before_the_training_is_refused():
    with pytest.raises(ValueError, match=r"epochs=2\) must end before the training, which has 2 epochs"):
        fitted(task(), CLIPS, LABELS, [ProgressiveAttention(2)], epochs=2)
    with pytest.raises(ValueError, match="epochs=0 must be more than 0"):
        ProgressiveAttention(0)
