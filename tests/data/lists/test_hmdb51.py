import pytest
from list_files import files, seen, write

from vidattn.data.videos.manifest import ManifestError, read_manifest


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
