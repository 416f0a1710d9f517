import pytest
from PIL import Image

from vidattn.classify.sources import expand
from vidattn.data.errors import VideoDecodeError
from vidattn.data.lists.picture_folder import holds_pictures, is_still, without_stills
from vidattn.data.videos.manifest import read_manifest

STILL = Image.new("RGB", (8, 8))
MOVING = {"save_all": True, "append_images": [Image.new("RGB", (8, 8), "red")], "duration": 40}


@pytest.mark.parametrize(
    ("picture", "options", "still"),
    [
        (STILL, {}, True),
        (STILL, {"lossless": True}, True),
        (Image.new("RGBA", (8, 8)), {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}, True),  # with the longer header
        (STILL, MOVING, False),
    ],
)
def test_a_webp_is_a_picture_or_a_film_by_its_header(tmp_path, picture, options, still):
    picture.save(tmp_path / "1.webp", **options)

    assert is_still(str(tmp_path / "1.webp")) == still
    assert holds_pictures(tmp_path) == still
    assert without_stills(tmp_path, ["1.webp", "a.mp4", "b.webp"]) == (["1.webp"] if not still else []) + [
        "a.mp4",
        "b.webp",
    ]


def test_what_is_no_webp_is_no_picture(tmp_path):
    (tmp_path / "1.webp").write_bytes(b"RIFF of something else, and long enough")

    assert not is_still(str(tmp_path / "1.webp"))
    assert not is_still(str(tmp_path / "2.webp"))
    assert not holds_pictures(tmp_path / "none")


def test_numbered_stills_are_frames_of_one_video_and_not_a_video_each(tmp_path):
    for folder, options in (("jump/clip", {}), ("films/dance", MOVING)):
        (tmp_path / folder).mkdir(parents=True)
        for number in (1, 2, 3):
            STILL.save(tmp_path / folder / f"{number}.webp", **options)

    (clip,) = read_manifest(tmp_path / "jump" / "clip").videos
    assert clip.folder_fps == 30
    assert len(read_manifest(tmp_path / "films").videos) == 3
    assert len(expand(tmp_path / "films").videos) == 3
    with pytest.raises(VideoDecodeError, match="the folder holds pictures; make a video of them"):
        expand(tmp_path / "jump" / "clip")
