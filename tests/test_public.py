import pytest

import vidattn
from vidattn.data.clips.sampling import StrideSampling
from vidattn.public import public_path


def test_a_class_is_known_by_the_shortest_path_that_hands_it_on():
    assert public_path(StrideSampling) == "vidattn.data.StrideSampling"
    assert public_path(vidattn.Grid) == "vidattn.Grid"


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(AttributeError, match=r"public names: .*Classifier"):
        vidattn.Classfier  # noqa: B018
