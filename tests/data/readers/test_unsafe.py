import os

from vidattn.data.readers.unsafe import is_unsafe, remember_unsafe


def test_a_file_is_remembered_under_any_name_until_it_is_written_anew(tmp_path):
    file, link = tmp_path / "a.mp4", tmp_path / "b.mp4"
    file.write_bytes(b"one")
    os.link(file, link)
    assert not is_unsafe(str(file))
    remember_unsafe(str(link))
    assert is_unsafe(str(file))
    file.write_bytes(b"another")
    assert not is_unsafe(str(file))


def test_what_is_not_there_is_not_remembered(tmp_path):
    remember_unsafe(str(tmp_path / "gone.mp4"))
    assert not is_unsafe(str(tmp_path / "gone.mp4"))
