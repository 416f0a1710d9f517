"""What many tests share: the folder of real videos, and one tiny video whose frames tell their number."""

import os
from pathlib import Path

# Tests run side by side (-n 2), on networks so small that a second thread costs more than it brings; where threads of
# several processes wait for the same cores, a training of seconds takes minutes. Set before torch starts its threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from blank_pictures import blank_pictures as blank_pictures
from encode import encode_video, numbered_frames
from fake_libraries import machine as machine
from shares import (
    pytest_collection_finish as pytest_collection_finish,
    pytest_collection_modifyitems as pytest_collection_modifyitems,
    pytest_xdist_make_scheduler as pytest_xdist_make_scheduler,
    pytest_xdist_setupnodes as pytest_xdist_setupnodes,
)
from skips import pytest_terminal_summary as pytest_terminal_summary


@pytest.fixture(scope="session")
def shared_videos() -> Path:
    """The folder of real videos (actions, codecs, odd, broken); skips where it is missing."""
    default = Path(__file__).parents[1] / ".." / "shared" / "videos"
    folder = Path(os.environ.get("VIDATTN_TEST_VIDEOS", default)).resolve()
    if not folder.is_dir():
        pytest.skip(f"no test videos in {folder}; set VIDATTN_TEST_VIDEOS to their folder")
    return folder


@pytest.fixture(scope="session")
def tiny_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 frames of 64 x 48 pixels, 30 per second, H.264 with B-frames and a keyframe every 12.

    `encode.frame_number` tells from the pixels which frame one is.
    """
    path = tmp_path_factory.mktemp("tiny") / "tiny.mp4"
    return encode_video(path, numbered_frames(48), options={"g": "12", "bf": "2"})


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights as `vidattn fit` leaves them, with names and preprocessing."""
    from foreseen import write_checkpoint  # most tests need no network

    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "best.ckpt")
