from pathlib import Path

import pytest
from foreseen import write_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    """Random weights as `vidattn fit` leaves them, with names and preprocessing."""
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "best.ckpt")
