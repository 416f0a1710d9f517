import pytest


@pytest.fixture
def folder(tmp_path):
    """Eight empty files: none is opened."""
    for number in range(8):
        (tmp_path / f"v{number}.mp4").touch()
    return tmp_path
