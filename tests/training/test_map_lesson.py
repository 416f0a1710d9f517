"""Attention maps compared with a teacher's."""

import pytest
from taught import learn

from vidattn.training.map_lesson import TeachMaps


def test_some_rows_steps_and_blocks_are_part_of_all(taught_by):
    whole = learn(taught_by("joint", (TeachMaps(queries=None),)))[0]["maps"]
    module = taught_by("joint", (TeachMaps(queries=16),))
    assert learn(module)[0]["maps"] == pytest.approx(whole, rel=0.2)
    divided = taught_by(lessons=(TeachMaps(steps=("time",), blocks=(-1,)),))
    assert [(pair.block, pair.step) for pair in divided.comparisons[0].pairs] == [
        (1, divided.network.blocks[1].steps[0])
    ]
