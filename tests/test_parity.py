import pytest
import torch
from reference_pair import random_pair

from vidattn.checkpoints.renaming import renamed
from vidattn.checkpoints.sources import huggingface

SIZES = [(8, 32, 2), (3, 48, 3), (5, 32, 4)]  # frames, pixels, heads


@pytest.mark.parametrize("attention", ["divided", "joint", "space"])
@pytest.mark.parametrize(("frames", "size", "heads"), SIZES)
def test_logits_and_parameter_counts_equal_the_reference(attention, frames, size, heads):
    ours, theirs = random_pair(attention, frames, size, heads)
    video = torch.randn(2, 3, frames, size, size)
    with torch.no_grad():
        torch.testing.assert_close(ours(video), theirs(video), rtol=1e-5, atol=1e-5)
    count = sum(parameter.numel() for parameter in ours.parameters())
    assert count == sum(parameter.numel() for parameter in theirs.parameters())


@pytest.mark.parametrize("attention", ["divided", "joint", "space"])
def test_gradients_equal_the_reference(attention):
    ours, theirs = (model.double() for model in random_pair(attention, 4, 32, 2))
    video = torch.randn(2, 3, 4, 32, 32, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 7, dtype=torch.float64)
    (our_input,) = torch.autograd.grad((ours(video) * weights).sum(), video, retain_graph=True)
    (ours(video) * weights).sum().backward()
    video_gradient, video.grad = video.grad, None
    (theirs(video) * weights).sum().backward()
    torch.testing.assert_close(our_input, video.grad, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(video_gradient, video.grad, rtol=1e-8, atol=1e-10)
    gradients = {name: parameter.grad for name, parameter in theirs.model.named_parameters()}
    for name, gradient in renamed(gradients, huggingface.SCHEMES[attention], ours).items():
        torch.testing.assert_close(ours.get_parameter(name).grad, gradient, rtol=1e-8, atol=1e-10, msg=name)
