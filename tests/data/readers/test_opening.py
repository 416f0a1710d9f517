import pytest
from encode import encode_video, numbered_frames
from PIL import Image

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.frame_folder import FrameFolderReader
from vidattn.data.readers.known import NOTHING
from vidattn.data.readers.opening import VideoOpener, open_file
from vidattn.data.readers.pyav import PyAVReader
from vidattn.data.readers.quarantine import QuarantinedError
from vidattn.data.videos.manifest import Video


class Barred:
    """Stands for a quarantine."""

    def check(self, path):
        raise QuarantinedError(path, "it was broken before")


class Index:
    """Stands for what `vidattn check` found; notes what is asked for."""

    def __init__(self):
        self.asked = []

    def known(self, path):
        self.asked.append(path)
        return NOTHING


@pytest.fixture
def clip(tmp_path):
    return str(encode_video(tmp_path / "a.mp4", numbered_frames(6)))


def test_a_file_and_a_folder_have_readers_of_their_own(clip, tmp_path):
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / "1.png")

    with open_file(clip, "pyav", None) as file, open_file(str(tmp_path / "pictures"), "pyav", 12.5) as folder:
        assert isinstance(file, PyAVReader)
        assert isinstance(folder, FrameFolderReader)
        assert folder.fps == 12.5


def test_what_is_quarantined_is_not_opened_and_what_is_known_is_used(clip):
    with pytest.raises(QuarantinedError, match="it was broken before"):
        VideoOpener(quarantine=Barred())(Video(clip, 0))
    index = Index()
    with VideoOpener(index=index)(Video(clip, 0)) as reader:
        assert reader.num_frames == 6
    assert index.asked == [clip]


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(VideoDecodeError, match=r"gone\.mp4"):
        VideoOpener()(Video(str(tmp_path / "gone.mp4"), 0))


def test_nothing_is_forked_for_a_gpu():
    assert VideoOpener("torchcodec_cuda", timeout=5).watchdog is None
    assert VideoOpener("pyav").watchdog is None
