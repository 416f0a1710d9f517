import json

import pytest
import torch

from vidattn.calibration.calibration import Calibration, Threshold
from vidattn.calibration.probabilities import Probabilities


def test_plain_values_tell_all_of_it():
    known = Calibration(1.7, -0.3, Threshold(0.6, 0.05, 40), views=30)

    assert Calibration.from_dict(json.loads(json.dumps(known.to_dict()))) == known
    assert Calibration().to_dict() == {}
    assert Calibration.from_dict({}) == Calibration()


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"temperature": 0}, "temperature=0.0 of a calibration must be more than 0"),
        ({"temperature": "warm"}, "could not convert"),
        ({"bias": float("inf")}, "bias=inf"),
        ({"threshold": {"least": 0.5}}, "KeyError: 'false_alarms'.*vidattn calibrate writes them anew"),
        ({"threshold": {"least": 2, "false_alarms": 0.1, "clips": 3}}, "least=2.0 of a threshold is no share"),
        ([1], "cannot be read"),
    ],
)
def test_what_is_no_calibration_is_refused(stored, message):
    with pytest.raises(ValueError, match=message):
        Calibration.from_dict(stored)


def test_probabilities_stand_in_a_graph():
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    one = torch.export.export(Probabilities(False, Calibration(2.0)), (logits,)).module()
    several = Probabilities(True, Calibration(2.0, -0.5))

    torch.testing.assert_close(one(logits), (logits / 2).softmax(-1))
    torch.testing.assert_close(several(logits), (logits / 2 - 0.5).sigmoid())
    assert not several.state_dict()
