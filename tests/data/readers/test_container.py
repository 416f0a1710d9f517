import errno

import av
import pytest
from encode import encode_video, numbered_frames

from vidattn.data.errors import PassingError, VideoDecodeError
from vidattn.data.readers import container as module
from vidattn.data.readers.container import open_container


def test_a_path_and_its_bytes_give_the_same_stream(tmp_path):
    path = encode_video(tmp_path / "a.mp4", numbered_frames(5))

    for source in (str(path), path.read_bytes()):
        container, stream = open_container("a.mp4", source)
        with container:
            assert stream.codec_context.thread_type.name == "NONE"
            assert sum(1 for _ in container.decode(stream)) == 5


def test_what_is_no_video_says_what_it_is(tmp_path):
    (tmp_path / "page.mp4").write_text("<!DOCTYPE html><html><body>404</body></html>")
    (tmp_path / "notes.txt").write_text("what FFmpeg would play as a terminal shows it\n" * 9)
    (tmp_path / "noise.mp4").write_bytes(b"nothing at all " * 50)
    with av.open(str(tmp_path / "sound.mp4"), "w", format="wav") as sound:
        stream = sound.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame(format="s16", layout="mono", samples=1024)
        frame.sample_rate = 8000
        sound.mux(stream.encode(frame))

    for name, reason in (
        ("page.mp4", "this is a web page, not a video"),
        ("notes.txt", "this is text, not a video"),
        ("noise.mp4", "cannot open it as a video .*; it is none, or was cut short"),
        ("sound.mp4", r"it has no video stream \(the file holds: audio\)"),
    ):
        with pytest.raises(VideoDecodeError, match=reason) as caught:
            open_container(name, str(tmp_path / name))
        assert not isinstance(caught.value, PassingError)


@pytest.mark.parametrize("error", [MemoryError("no room"), PermissionError(errno.EACCES, "Permission denied")])
def test_what_the_machine_refuses_is_not_held_against_the_file(monkeypatch, error):
    def refuse(_):
        raise error

    monkeypatch.setattr(module, "open_input", refuse)
    with pytest.raises(PassingError, match=r"cannot open it as a video .*; check the disk and your access"):
        open_container("a.mp4", "a.mp4")
