import pytest

from vidattn.data.check.probe import probe
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video
from vidattn.data.readers.impostors import impostor


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 12\n", "Git LFS pointer"),
        (b"\n\n<!DOCTYPE HTML><html>Sign in</html>", "web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML text"),
        (b"PK\x03\x04" + bytes(60), "zip archive"),
    ],
)
@pytest.mark.parametrize("ending", ["mp4", "avi", "webm"])
def test_what_is_no_video_is_called_by_its_name(tmp_path, content, kind, ending):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)

    for source in (path, content):
        with pytest.raises(VideoDecodeError, match=f"this is a {kind}, not a video; "):
            open_video(source)
    assert probe(str(path), None, 8).problems == [kind]
    assert impostor(b"\x00\x00\x00 ftypisom") is None
