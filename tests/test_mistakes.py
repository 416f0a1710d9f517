import pytest

from vidattn.commands.ending import mistake
from vidattn.mistakes import MissingLibraryError, Mistake, NotFiniteError


@pytest.mark.parametrize(
    ("kind", "also"),
    [(Mistake, ValueError), (NotFiniteError, FloatingPointError), (MissingLibraryError, ImportError)],
)
def test_a_mistake_is_said_in_a_line_and_caught_as_what_python_calls_it(kind, also):
    with pytest.raises(also) as caught:
        raise kind("size=3 is odd; take 4")

    assert mistake(caught.value) == "size=3 is odd; take 4"
