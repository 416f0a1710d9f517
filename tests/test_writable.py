import pytest

from vidattn.writable import make_folder


def test_a_folder_that_the_system_refuses_is_a_mistake_in_a_line(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ValueError, match=r"file/new: cannot make this folder \(Not a directory\); name another place"):
        make_folder(tmp_path / "file" / "new")
