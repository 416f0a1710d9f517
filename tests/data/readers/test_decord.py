import pytest
from encode import encode_video, numbered_frames

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video


@pytest.mark.parametrize("name", ["codecs/hevc.mp4", "codecs/av1.mkv", "broken/one_pixel.mp4"])
def test_decord_refuses_codecs_it_gets_wrong(shared_videos, name):
    pytest.importorskip("decord")
    with pytest.raises(VideoDecodeError, match="use reader=pyav"):
        open_video(shared_videos / name, reader="decord")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"options": {"bf": "3", "x264-params": "open-gop=1:keyint=12:scenecut=0:b-adapt=0"}}, "another picture"),
        ({"options": {"x264-params": "intra-refresh=1:keyint=15:bframes=2"}}, "cannot be sought in, which decord does"),
        ({"pts": [i - 17 for i in range(40)], "options": {"g": "10"}}, "decord counts .* frames, decoding gives"),
        ({"options": {"flags": "+ildct+ilme", "x264-params": "interlaced=1"}}, "timestamps do not tell"),
    ],
    ids=["open groups", "intra refresh", "edit list", "interlaced"],
)
def test_decord_refuses_streams_it_seeks_wrongly(tmp_path, arguments, reason):
    pytest.importorskip("decord")
    path = encode_video(tmp_path / "a.mp4", numbered_frames(40), **arguments)
    with pytest.raises(VideoDecodeError, match=f"{reason}.*use reader=pyav"):
        open_video(path, reader="decord")
