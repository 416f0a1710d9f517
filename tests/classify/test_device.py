import pytest
import torch

from vidattn.classify.device import usable_device


@pytest.mark.parametrize("name", ["cpu", torch.device("cpu")])
def test_a_device_that_is_there(name):
    assert usable_device(name) == torch.device("cpu")


def test_by_default_it_is_the_gpu_where_there_is_one():
    assert usable_device(None).type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["nowhere", "cuda:99", -7])
def test_one_that_is_not_is_refused_with_the_way_out(name):
    with pytest.raises(ValueError, match=rf"device={name}: .*; take device=cpu, or see what vidattn doctor says"):
        usable_device(name)
