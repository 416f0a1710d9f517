"""No name and no number of any network has changed since before the core was rebuilt."""

import json

import golden
import pytest

WANTED = json.loads(golden.FILE.read_text())
BUILD = golden.cases()


def test_no_case_was_lost():
    assert list(BUILD) == list(WANTED)


@pytest.mark.parametrize("name", WANTED)
def test_names_shapes_and_answers_are_those_of_before(name):
    told = golden.told(BUILD[name]())
    assert told["state"] == WANTED[name]["state"]
    for ours, before in zip(told["logits"], WANTED[name]["logits"], strict=True):
        assert ours == pytest.approx(before, abs=2e-8)
