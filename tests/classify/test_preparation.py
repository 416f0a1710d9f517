import pytest
from foreseen import CONFIG, PREPROCESSING

from vidattn.checkpoints.names import WeightsError
from vidattn.classify.preparation import preparation_of


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {},
            r"sampling UniformSampling\(\) is not possible \(.*'num_frames'\); wanted positive numbers for num_frames",
        ),
        ({"num_frames": 4, "size": 3}, r"UniformSampling\(num_frames=4, size=3\) is not possible \(.*'size'\)"),
        ({"num_frames": 0}, r"UniformSampling\(num_frames=0\) is not possible \(num_frames=0 must be more than 0\)"),
    ],
)
def test_stored_arguments_that_a_rule_does_not_take_are_named(arguments, message):
    stored = {"class_path": "vidattn.data.sampling.UniformSampling", "init_args": arguments}

    with pytest.raises(WeightsError, match=message):
        preparation_of(CONFIG, {**PREPROCESSING, "sampling": stored})
