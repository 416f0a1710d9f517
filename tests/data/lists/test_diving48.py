import json

from list_files import files, write

from vidattn.data.videos.manifest import Video, read_class_names, read_manifest


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
