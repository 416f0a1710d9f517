import sys
from importlib.metadata import version

import pytest
from backends import need

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video, reader_version


def test_unknown_reader_lists_the_known(tiny_video):
    with pytest.raises(ValueError, match="reader='opencv' is unknown; choose one of pyav, decord, torchcodec"):
        open_video(tiny_video, reader="opencv")
    with pytest.raises(ValueError, match="choose one of pyav, decord, torchcodec"):
        reader_version("opencv")


def test_version_names_the_library_that_decodes():
    assert reader_version("pyav").startswith(f"pyav {version('av')} (libavcodec ")


@pytest.mark.parametrize("reader", ["decord", "torchcodec"])
def test_missing_backend_says_what_to_do(tiny_video, monkeypatch, reader):
    monkeypatch.setitem(sys.modules, reader, None)  # import fails
    with pytest.raises(ImportError, match=f"reader={reader} .*pip install .*or use reader=pyav"):
        open_video(tiny_video, reader=reader)


@pytest.fixture(params=["decord", "torchcodec"])
def other_reader(request) -> str:
    """A backend other than PyAV that loads here."""
    need(request.param)
    return request.param


def test_files_without_video_are_errors_in_every_reader(shared_videos, other_reader):
    with pytest.raises(VideoDecodeError, match="it has no video stream"):
        open_video(shared_videos / "broken" / "audio_only.mp3", reader=other_reader)
