import os

import pytest

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video


def test_pipes_and_devices_are_named_as_such(tmp_path):
    os.mkfifo(tmp_path / "a.mp4")
    for path, kind in ((tmp_path / "a.mp4", "a pipe"), ("/dev/null", "a device")):
        with pytest.raises(VideoDecodeError, match=f"this is {kind}, and a video is read more than once: write"):
            open_video(path)
