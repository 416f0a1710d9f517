import pytest
from list_files import files, labels, write
from PIL import Image

from vidattn.data.videos.manifest import ManifestError, Video, read_manifest


def test_mmaction2_rawframes_are_folders_of_pictures(tmp_path):
    files(tmp_path, "my frames/a/img_00001.jpg", "b/img_00001.jpg")

    manifest = read_manifest(write(tmp_path / "train.txt", "my frames/a 120 3", "b 7 0"), folder_fps=25)

    assert manifest.videos == [
        Video(str(tmp_path / "my frames/a"), 3, end_frame=120, folder_fps=25),
        Video(str(tmp_path / "b"), 0, end_frame=7, folder_fps=25),
    ]


def test_a_slowfast_frame_list_is_one_video_per_folder(tmp_path):
    files(tmp_path, "1/00001.jpg", "2/00001.jpg")
    rows = ['1 0 0 1/00001.jpg ""', '1 0 1 1/00002.jpg ""', '2 1 0 2/00001.jpg ""']

    manifest = read_manifest(write(tmp_path / "val.csv", "original_vido_id video_id frame_id path labels", *rows))

    assert manifest.videos == [Video(str(tmp_path / name), None, folder_fps=30) for name in "12"]


def pictures(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (8, 8)).save(folder / name)


def test_folders_of_pictures_are_read_from_lists_without_a_total(tmp_path):
    pictures(tmp_path / "my frames" / "a", "img_00001.jpg")
    pictures(tmp_path / "b", "1.png")
    named = read_manifest(write(tmp_path / "t.txt", "my frames/a red fox", "b 3 men"))
    numbered = read_manifest(write(tmp_path / "n.csv", "my frames/a,1", "b,0"))
    total = read_manifest(write(tmp_path / "m.txt", "my frames/a 12 cat", "b 7 dog"))

    assert labels(named) == [("red fox",), ("3 men",)]
    assert [video.label for video in numbered.videos] == [1, 0]
    assert [(video.folder_fps, video.end_frame) for video in named.videos] == [(30, None)] * 2
    assert [video.end_frame for video in total.videos] == [12, 7]
    assert labels(total) == [("cat",), ("dog",)]


def test_the_total_of_a_header_is_that_of_mmaction2(tmp_path):
    pictures(tmp_path / "a", "img_00001.jpg")
    files(tmp_path, "v.mp4")
    rows = ("frame_dir,start_frame,total_frames,label", "a,2,7,cat", "a,,9,dog", "v.mp4,,9,cat")

    manifest = read_manifest(write(tmp_path / "t.csv", *rows))

    segments = [(video.start_frame, video.end_frame) for video in manifest.videos]
    assert segments == [(2, 9), (None, 9), (None, None)]  # of a file, lists count in other ways


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (("a/img_00001.jpg 0", "a/img_00002.jpg 1"), "not a picture, but the folder that holds those of one video"),
        (("a/img_%05d.png,cat",), "not a picture, but the folder"),
        (("a 0", "empty 1"), r"empty holds none \(it holds no files\):\n  line 2"),
        (("named 0",), r"named holds none \(the files in it end in: \.jpg \(1\)\)"),
        (("a,12,0", "a,7,1"), r"`frame_dir total_frames label` with spaces between; or name the columns .*\n  line 1"),
    ],
)
def test_rows_that_mean_pictures_are_told_their_form(tmp_path, rows, expected):
    pictures(tmp_path / "a", "img_00001.jpg")
    pictures(tmp_path / "named", "first.jpg")
    (tmp_path / "empty").mkdir()

    with pytest.raises(ManifestError, match=expected):
        read_manifest(write(tmp_path / "t.txt", *rows))


@pytest.mark.parametrize("rows", [("a 5 25 3", "b 0 20 1"), ("a 5 25 3",), ("a 1 5 25 3", "b 1 5 20 1")])
def test_a_start_before_the_total_is_not_taken_for_the_total(tmp_path, rows):
    with pytest.raises(ManifestError, match=r"`frame_dir total_frames label`, and each row has \d numbers behind"):
        read_manifest(write(tmp_path / "t.txt", *rows))
