"""Empty pages for the pictures of a scorecard, each of which takes a fifth of a tiny run's time."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def blank_pictures() -> Iterator[None]:
    """Where no test looks at them: tests/commands/test_trainer.py does; runs in processes of their own draw them."""
    from matplotlib.figure import Figure

    from vidattn.training import scorecard  # most tests need no trainer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scorecard, "write_picture", lambda _, file: Figure(figsize=(1, 1)).savefig(file))
        yield
