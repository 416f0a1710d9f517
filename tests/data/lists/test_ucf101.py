import pytest
from list_files import files, seen, write

from vidattn.data.videos.manifest import ManifestError, read_class_names, read_manifest


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_ucf101_lists_are_numbered_by_class_ind_with_and_without_numbers(tmp_path, end):
    videos = ["YoYo/v_YoYo_g08_c01.avi", "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c02.avi"]
    files(tmp_path / "UCF-101", *videos)
    lists = tmp_path / "ucfTrainTestlist"
    write(lists / "classInd.txt", "1 ApplyEyeMakeup", "2 YoYo", end=end)
    train = read_manifest(write(lists / "trainlist01.txt", f"{videos[0]} 2", end=end), tmp_path / "UCF-101")
    test = read_manifest(write(lists / "testlist01.txt", videos[1], end=end), tmp_path / "UCF-101", train.class_names)

    assert train.class_names == ["ApplyEyeMakeup", "YoYo"]
    assert [video.label for video in train.videos] == [1]
    assert seen(test, tmp_path / "UCF-101") == [(videos[1], "ApplyEyeMakeup")]
    assert read_class_names(lists / "classInd.txt") == train.class_names


def test_a_ucf101_row_of_an_unknown_class_is_shown(tmp_path):
    write(tmp_path / "classInd.txt", "1 YoYo")

    with pytest.raises(ManifestError, match=r"CLASS of classInd.txt:\n  line 1: 'Dance/a.avi 1'"):
        read_manifest(write(tmp_path / "trainlist02.txt", "Dance/a.avi 1"))


def test_a_ucf101_class_in_another_case_is_found_by_its_hint(tmp_path):
    write(tmp_path / "classInd.txt", "1 HandstandPushups", "2 YoYo")

    with pytest.raises(ManifestError, match=r"CLASS of classInd\.txt \(did you mean 'HandstandPushups'\?\)"):
        read_manifest(write(tmp_path / "trainlist01.txt", "HandStandPushups/a.avi 1"))
