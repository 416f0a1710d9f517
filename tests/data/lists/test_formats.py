"""One tiny example of each dataset's own annotation files, as published; see also tests/data/videos/."""

import csv
import json

import pytest

from vidattn.data.videos.manifest import ManifestError, Video, read_class_names, read_manifest, write_manifest


def files(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def write(path, *lines, end="\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(end.join(lines) + end, newline="")
    return path


def seen(manifest, root):
    """`(path below root, class name)` of each video."""
    return [(video.path.removeprefix(f"{root}/"), manifest.class_names[video.label]) for video in manifest.videos]


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


def test_hmdb51_takes_the_part_that_is_named(tmp_path):
    odd = "(Rad)Schlag_die_Bank!_cartwheel_f_cm_np1_le_med_0.avi"
    files(tmp_path, f"cartwheel/{odd}", "cartwheel/b&c.avi", "wave/d.avi", "wave/e.avi")
    splits = tmp_path / "testTrainMulti_7030_splits"
    write(splits / "cartwheel_test_split1.txt", f"{odd} 1 ", "b&c.avi 2 ")
    write(splits / "cartwheel_test_split2.txt", f"{odd} 2 ", "b&c.avi 1 ")
    write(splits / "wave_test_split1.txt", "d.avi 0 ", "e.avi 1 ", "")
    write(splits / "wave_test_split2.txt", "d.avi 2 ", "e.avi 0 ")

    train, test = read_manifest(f"{splits}#train1"), read_manifest(f"{splits}#test2")

    assert seen(train, tmp_path) == [(f"cartwheel/{odd}", "cartwheel"), ("wave/e.avi", "wave")]
    assert seen(test, tmp_path) == [(f"cartwheel/{odd}", "cartwheel"), ("wave/d.avi", "wave")]
    with pytest.raises(ManifestError, match=r"splits of HMDB51; name one: .*splits#train1"):
        read_manifest(splits)


def test_diving48_keeps_its_frames_and_is_named_by_its_vocabulary(tmp_path):
    files(tmp_path / "rgb", "-mmq0PT-u8k_00155.mp4")
    entry = {"vid_name": "-mmq0PT-u8k_00155", "label": 1, "start_frame": 0, "end_frame": 48}
    source = write(tmp_path / "Diving48_V2_train.json", json.dumps([entry]))
    vocabulary = write(
        tmp_path / "Diving48_vocab.json", '[["Back","15som","05Twis","FREE"],["Back","15som","15Twis","FREE"]]'
    )

    manifest = read_manifest(source, tmp_path / "rgb")

    path = str(tmp_path / "rgb" / "-mmq0PT-u8k_00155.mp4")
    assert manifest.videos == [Video(path, 1, start_frame=0, end_frame=48)]
    assert manifest.class_names == ["Back 15som 05Twis FREE", "Back 15som 15Twis FREE"] == read_class_names(vocabulary)


def test_mmaction2_rawframes_are_folders_of_pictures(tmp_path):
    files(tmp_path, "my frames/a/img_00001.jpg", "b/img_00001.jpg")

    manifest = read_manifest(write(tmp_path / "train.txt", "my frames/a 120 3", "b 7 0"), folder_fps=25)

    assert manifest.videos == [
        Video(str(tmp_path / "my frames/a"), 3, end_frame=120, folder_fps=25),
        Video(str(tmp_path / "b"), 0, end_frame=7, folder_fps=25),
    ]


@pytest.mark.parametrize("rows", [["a.mp4 3 17", "b.mp4 5"], ["a 40 3 17", "b 40 5"]], ids=["videos", "rawframes"])
def test_mmaction2_multi_label_lists_give_all_labels(tmp_path, rows):
    files(tmp_path, "a.mp4", "b.mp4", "a/1.jpg", "b/1.jpg")

    manifest = read_manifest(write(tmp_path / "train.txt", *rows))

    assert manifest.multi_label
    assert [(video.label, video.labels) for video in manifest.videos] == [(None, (3, 17)), (None, (5,))]
    assert len(manifest.class_names) == 18


def test_a_slowfast_frame_list_is_one_video_per_folder(tmp_path):
    files(tmp_path, "1/00001.jpg", "2/00001.jpg")
    rows = ['1 0 0 1/00001.jpg ""', '1 0 1 1/00002.jpg ""', '2 1 0 2/00001.jpg ""']

    manifest = read_manifest(write(tmp_path / "val.csv", "original_vido_id video_id frame_id path labels", *rows))

    assert manifest.videos == [Video(str(tmp_path / name), None, folder_fps=30) for name in "12"]


def test_the_answers_to_something_something_name_the_test_videos(tmp_path):
    files(tmp_path, "1420.webm")

    manifest = read_manifest(write(tmp_path / "test-answers.csv", "1420;Throwing something"))

    assert seen(manifest, tmp_path) == [("1420.webm", "Throwing something")]


def test_a_template_that_is_no_text_is_shown(tmp_path):
    source = write(
        tmp_path / "train.json", '[{"id": "7", "template": "Holding [something]"}, {"id": "8", "template": 5}]'
    )

    with pytest.raises(ManifestError, match=r"1 bad row, .*\n  entry 2: {'id': '8', 'template': 5}"):
        read_manifest(source)


@pytest.mark.parametrize(
    ("head", "row"),
    [("path,labels,start,end,start_frame,end_frame", "a.mp4"), ("label,youtube_id,time_start,time_end,split", "x")],
)
def test_a_row_that_is_cut_short_is_shown(tmp_path, head, row):
    with pytest.raises(ManifestError, match=rf"1 bad row, expected .*:\n  line 2: '{row},None,None"):
        read_manifest(write(tmp_path / "list.csv", head, row))


@pytest.mark.parametrize(
    "head", ["path,labels,start,end,start_frame,end_frame", "label,youtube_id,time_start,time_end,split"]
)
def test_a_quote_that_is_not_closed_names_its_line(tmp_path, head):
    source = write(tmp_path / "list.csv", head, "a,b,1,2,,", '"' + "c" * csv.field_size_limit(), "d")

    with pytest.raises(
        ManifestError, match=r"list.csv, line 3: field larger than .*; expected CSV in which each quote"
    ):
        read_manifest(source)


def test_kinetics_700_reads_as_400_does(tmp_path):
    files(tmp_path, "train/dancing ballet/ab-_c_000010_000020.mp4")
    rows = ["label,youtube_id,time_start,time_end,split", "dancing ballet,ab-_c,10,20,train"]

    manifest = read_manifest(write(tmp_path / "kinetics700_train.csv", *rows))

    assert seen(manifest, tmp_path) == [("train/dancing ballet/ab-_c_000010_000020.mp4", "dancing ballet")]


def test_a_manifest_is_written_and_read_back_whole(tmp_path):
    files(tmp_path, "a, b.mp4", "c.mp4", "f/1.jpg")
    listed = write(tmp_path / "train.txt", '"a, b.mp4",3 17', "c.mp4 5", "gone.mp4 1")
    kinetics = write(tmp_path / "k.csv", "label,youtube_id,time_start,time_end,split", '"x, y",c,1.5,2.5,train')
    frames = write(tmp_path / "raw.txt", "f 7 0")

    semicolon = write(tmp_path / "s.txt", "c.mp4 cut; then glue")
    files(tmp_path / "folder", "x/\u2028line.mkv", "x/two\nlines.mkv")
    for source in (listed, kinetics, frames, semicolon, tmp_path / "folder"):
        manifest = read_manifest(source)
        write_manifest(tmp_path / "clean.csv", manifest)
        again = read_manifest(tmp_path / "clean.csv", class_names=manifest.class_names)
        assert again.videos == manifest.videos
        assert again.multi_label == manifest.multi_label


def test_a_multi_label_list_stays_one_when_written_with_one_class_each(tmp_path):
    files(tmp_path, "a.mp4", "b.mp4")
    manifest = read_manifest(write(tmp_path / "val.txt", "a.mp4 3", "b.mp4 1"), multi_label=True)

    write_manifest(tmp_path / "clean.csv", manifest)

    again = read_manifest(tmp_path / "clean.csv", class_names=manifest.class_names)
    assert again.multi_label
    assert again.videos == manifest.videos
