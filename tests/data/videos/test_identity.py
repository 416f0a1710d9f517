import os

from vidattn.data.videos.identity import absolute, identity, status_of
from vidattn.data.videos.members import Member


def test_a_file_written_anew_is_another(tmp_path):
    file = tmp_path / "a.mp4"
    file.write_bytes(b"one")
    os.utime(file, ns=(0, 1))
    assert identity(str(file)) == (3, 1)
    os.utime(file, ns=(0, 2))
    assert identity(str(file)) == (3, 2)


def test_a_video_in_a_shard_is_known_by_the_shard(tmp_path):
    shard = tmp_path / "s.tar"
    shard.write_bytes(b"three")
    assert identity(str(Member(str(shard), 512, 3, "a.mp4"))) == identity(str(shard))


def test_what_is_gone_behind_a_url_or_a_folder_has_none(tmp_path):
    for path in (str(tmp_path / "gone.mp4"), "s3://bucket/a.mp4", str(tmp_path)):
        assert identity(path) is None
    assert status_of(str(tmp_path)) is not None


def test_a_path_is_the_same_from_every_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute("a/../b.mp4") == str(tmp_path / "b.mp4")
