from list_files import files, write

from vidattn.data.videos.manifest import read_manifest, write_manifest


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
