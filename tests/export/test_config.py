from dataclasses import replace

import pytest
from export_about import ABOUT

from vidattn.export.config import ExportedConfig
from vidattn.mistakes import Mistake


def config(**dynamic):
    return ExportedConfig(replace(ABOUT, dynamic=dynamic))


def test_it_says_what_a_classifier_asks_of_a_configuration():
    found = config()
    assert (found.num_frames, found.size, found.num_classes, found.title) == (4, (32, 48), 2, "divided")
    assert found.has_time


def test_clips_of_the_size_it_was_exported_for_are_taken_and_others_where_they_are_open():
    config().check_clip(4, 32, 48)
    config(frames=2).check_clip(6, 32, 48)
    config(size=16).check_clip(4, 16, 64)


@pytest.mark.parametrize(
    ("dynamic", "clip", "told"),
    [
        ({}, (8, 32, 48), "size=8 frames of 32x48: this file was exported for clips of 4 frames of 32x48; .* frames$"),
        ({}, (4, 48, 48), "--dynamic size$"),
        ({}, (8, 48, 48), "--dynamic frames,size$"),
        ({"frames": 2}, (5, 32, 48), "or frames that are multiples of 2;"),
        ({"size": 16}, (4, 40, 48), "or size that are multiples of 16;"),
    ],
)
def test_other_clips_are_refused_with_what_to_do(dynamic, clip, told):
    with pytest.raises(Mistake, match=told):
        config(**dynamic).check_clip(*clip, name="size")


def test_it_cannot_be_built_again():
    with pytest.raises(Mistake, match="an exported network of divided cannot be built again"):
        config().build()
    with pytest.raises(Mistake, match="shows no tokens"):
        config().grid(4, 32, 48)
