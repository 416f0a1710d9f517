import pytest
import torch
from torch import nn

from vidattn.training.past_optimizer import moments_by_name


class Now(nn.Module):
    """Two parameters, `b` before `a`; once they stood the other way round."""

    def __init__(self):
        super().__init__()
        self.b = nn.Parameter(torch.zeros(2))
        self.a = nn.Parameter(torch.zeros(2))


def saved(*parameters):
    """The state of Adam after a step in which the gradient of the n-th parameter is n."""
    optimizer = torch.optim.AdamW(parameters)
    for number, parameter in enumerate(parameters, 1):
        parameter.grad = torch.full_like(parameter, float(number))
    optimizer.step()
    return optimizer.state_dict()


def test_moments_go_to_the_parameters_that_they_are_of():
    module = Now()
    optimizer = torch.optim.AdamW([module.b, module.a])
    state = saved(nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2)))  # a, then b

    optimizer.load_state_dict(moments_by_name(state, ["a", "b"], optimizer, module))

    assert optimizer.state[module.a]["exp_avg"].tolist() == pytest.approx([0.1, 0.1])
    assert optimizer.state[module.b]["exp_avg"].tolist() == pytest.approx([0.2, 0.2])


def test_the_moments_of_an_empty_parameter_of_before_are_left_out():
    module = Now()
    optimizer = torch.optim.AdamW([module.b, module.a])
    state = saved(*(nn.Parameter(torch.zeros(size)) for size in (2, 0, 2)))

    optimizer.load_state_dict(moments_by_name(state, ["a", "network.prefix", "b"], optimizer, module))

    assert optimizer.state[module.a]["exp_avg"].tolist() == pytest.approx([0.1, 0.1])
    assert optimizer.state[module.b]["exp_avg"].tolist() == pytest.approx([0.3, 0.3])


def test_another_number_of_parameters_is_left_to_torch_which_refuses_it():
    module = Now()
    optimizer = torch.optim.AdamW([module.b, module.a])
    state = saved(nn.Parameter(torch.zeros(2)))

    assert moments_by_name(state, ["a"], optimizer, module) is state
    with pytest.raises(ValueError, match="parameter group"):
        optimizer.load_state_dict(state)
