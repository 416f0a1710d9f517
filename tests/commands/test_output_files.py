import pytest

from vidattn.commands.output_files import check_output, write_output
from vidattn.mistakes import Mistake


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path):
    check_output(None, ".csv")
    check_output(tmp_path / "a.any")
    check_output(tmp_path / "a.csv", ".json", ".csv")
    with pytest.raises(Mistake, match=r"a\.txt: wanted a name that ends in \.json or \.csv"):
        check_output(tmp_path / "a.txt", ".json", ".csv")
    with pytest.raises(Mistake, match=r"the folder .*none does not exist; make it first"):
        check_output(tmp_path / "none" / "a.csv", ".csv")
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(Mistake, match=r"b\.csv is a folder; name another place"):
        check_output(tmp_path / "b.csv", ".csv")


def test_one_that_cannot_be_written_is_named_and_the_others_are_written(tmp_path, capsys):
    def full(_):
        raise OSError(28, "No space left on device")

    files = [(tmp_path / "a.csv", full), (None, full), (tmp_path / "b.csv", lambda file: file.write_text("b"))]
    assert not write_output("vidattn detect", files)
    said = capsys.readouterr()
    assert said.err == f"vidattn detect: {tmp_path / 'a.csv'}: cannot write it (No space left on device)\n"
    assert said.out == f"wrote {tmp_path / 'b.csv'}\n"
    assert write_output("vidattn detect", files[1:])
