import pytest
import torch
from reference_pair import random_pair

from vidattn.checkpoints.renaming import WeightsError, renamed
from vidattn.checkpoints.sources import huggingface


def test_missing_left_over_and_misshapen_weights_are_all_listed():
    ours, theirs = random_pair("joint", 2, 32, 2)
    weights = theirs.model.state_dict()
    del weights["timesformer.layernorm.bias"]
    weights["extra"] = torch.zeros(1)
    weights["classifier.bias"] = torch.zeros(9)
    with pytest.raises(WeightsError, match=r"missing: timesformer.layernorm.bias") as error:
        renamed(weights, huggingface.JOINT, ours)
    assert "left over: extra" in str(error.value)
    assert "classifier.bias is (9,), wanted (7,)" in str(error.value)
