import numpy as np
import pytest
import torch
from encode import frame_number, numbered_frames
from PIL import Image

from vidattn.data.clips.dataset import TestViews
from vidattn.data.clips.sampling import SecondsSampling
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.frame_folder import FrameFolderReader
from vidattn.data.videos.manifest import Video


def picture(path, number, size=(48, 64)):
    Image.fromarray(numbered_frames(1, *size, first=number)[0]).save(path, quality=95)


@pytest.fixture
def folder(tmp_path):
    """Twelve pictures, numbered from 1 without leading zeros: sorted by name, 10 would come before 2."""
    for number in range(1, 13):
        picture(tmp_path / f"img_{number}.jpg", number)
    return tmp_path


def test_pictures_come_in_the_order_of_their_numbers(folder):
    reader = FrameFolderReader(str(folder), fps=10)

    frames = reader.frames(range(12))
    assert frames.dtype == torch.uint8
    assert [frame_number(frame) for frame in frames.numpy()] == list(range(1, 13))
    assert [frame_number(frame) for frame in reader.frames([4, 0, 4]).numpy()] == [5, 1, 5]
    np.testing.assert_allclose(reader.times, np.arange(12) / 10)
    with pytest.raises(IndexError, match="frame 12 was asked"):
        reader.frames([12])


def test_optical_flow_beside_the_pictures_is_left_aside(folder):
    picture(folder / "flow_x_1.jpg", 99)
    assert FrameFolderReader(str(folder)).num_frames == 12

    (folder / "img_1.jpg").rename(folder / "rgb_1.jpg")
    for number in range(2, 13):
        (folder / f"img_{number}.jpg").unlink()
    with pytest.raises(VideoDecodeError, match=r"several kinds \(flow_x_, rgb_\)"):
        FrameFolderReader(str(folder))


@pytest.mark.parametrize("prefix", ["frame_", "IMG_", "thumb", ""])
def test_a_second_set_of_pictures_beside_img_is_refused(folder, prefix):
    picture(folder / f"{prefix}1.jpg", 99)

    with pytest.raises(VideoDecodeError, match=r"the folder holds pictures of several kinds \(.*; keep one"):
        FrameFolderReader(str(folder))


@pytest.mark.parametrize("ending", ["bmp", "webp", "tif", "png"])
def test_pictures_of_other_kinds_are_read(tmp_path, ending):
    for number in (1, 2):
        options = {"lossless": True} if ending == "webp" else {}
        Image.fromarray(numbered_frames(1, 48, 64, first=number)[0]).save(tmp_path / f"{number}.{ending}", **options)

    frames = FrameFolderReader(str(tmp_path)).frames([0, 1])

    assert torch.equal(frames, torch.from_numpy(numbered_frames(2, 48, 64, first=1)))


def test_what_cannot_be_read_is_named(folder, tmp_path):
    (folder / "img_3.jpg").write_bytes(b"no picture")
    picture(folder / "img_4.jpg", 4, (64, 64))

    reader = FrameFolderReader(str(folder))
    with pytest.raises(VideoDecodeError, match=r"img_3\.jpg: cannot decode it"):
        reader.frames([2])
    with pytest.raises(VideoDecodeError, match="its pictures differ in size"):
        reader.frames([3, 4])
    with pytest.raises(VideoDecodeError, match="cannot open the folder"):
        FrameFolderReader(str(tmp_path / "none"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(VideoDecodeError, match="holds no pictures"):
        FrameFolderReader(str(tmp_path / "empty"))


def test_a_folder_gives_clips_at_its_own_rate(folder):
    video = Video(str(folder), 0, end_frame=9, folder_fps=4)

    views = TestViews([video], SecondsSampling(3, seconds_between=0.5), 2, 1, image_size=48)[0]["video"]

    assert views.shape == (2, 3, 3, 48, 48)
    (reader,) = [FrameFolderReader(str(folder))]
    starts = ([0, 2, 4], [4, 6, 8])
    expected = [reader.frames(clip)[:, :, 8:56].permute(3, 0, 1, 2) for clip in starts]
    assert torch.equal(views, torch.stack(expected))


def test_pictures_of_16_bits_are_refused_instead_of_shown_white(tmp_path):
    for number in range(2):
        Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(tmp_path / f"{number}.png")

    with pytest.raises(VideoDecodeError, match=r"mode I;16, wanted 8 bits a colour"):
        FrameFolderReader(str(tmp_path)).frames([0])


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (("img_00001.jpg", "img_00002.jpg", "img_00001.png"), "img_00001.jpg and img_00001.png"),
        (("img_00001.jpg", "img_00002.jpg", "img_2.jpg"), "img_00002.jpg and img_2.jpg"),
        (("7.JPG", "7.jpeg"), "7.JPG and 7.jpeg"),
    ],
)
def test_two_pictures_of_one_number_are_refused_with_both_names(tmp_path, names, pair):
    for name in names:
        Image.new("RGB", (8, 8)).save(tmp_path / name)

    with pytest.raises(VideoDecodeError, match=f"{pair} have one number; keep one set"):
        FrameFolderReader(str(tmp_path))


def test_two_fields_of_flow_with_one_number_are_left_aside(tmp_path):
    for name in ("img_1.jpg", "flow_x_1.jpg", "flow_x_01.jpg"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)

    assert FrameFolderReader(str(tmp_path)).num_frames == 1
