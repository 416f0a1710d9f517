"""The vectors of several videos as a table and as files."""

import numpy as np
import pytest

from vidattn.classify import VideoFeatures

ROWS = VideoFeatures(
    ["a, b.mp4", "caf\u00e9 \u4e2d.mp4", "line\nbreak.mp4"],
    np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32),
)


@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".csv"])
def test_a_file_gives_back_the_very_numbers(tmp_path, ending):
    file = tmp_path / "new" / f"vectors{ending}"
    ROWS.save(file)

    found = VideoFeatures.load(file)

    assert list(found.paths) == ROWS.paths
    assert found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.vectors, ROWS.vectors)
    assert [path.name for path in file.parent.iterdir()] == [file.name]  # nothing half written beside it


def test_a_file_that_cannot_be_completed_leaves_the_old_one(tmp_path, monkeypatch):
    file = tmp_path / "vectors.npz"
    ROWS.save(file)
    monkeypatch.setattr(np, "savez", lambda stream, **arrays: stream.write(b"half") / 0)
    with pytest.raises(ZeroDivisionError):
        VideoFeatures([], np.zeros((0, 0), np.float32)).save(file)

    assert list(VideoFeatures.load(file).paths) == ROWS.paths
    assert [path.name for path in tmp_path.iterdir()] == ["vectors.npz"]


def test_other_endings_are_refused():
    with pytest.raises(ValueError, match=r"vectors\.txt: features are written as \.npz, \.safetensors, \.csv"):
        ROWS.save("vectors.txt")


def test_a_table_has_a_row_for_each_video():
    pandas = pytest.importorskip("pandas")
    table = ROWS.to_dataframe()
    assert isinstance(table, pandas.DataFrame)
    assert table.columns.tolist() == ["path", *(f"feature_{index}" for index in range(5))]
    assert table["path"].tolist() == ROWS.paths
    np.testing.assert_array_equal(table.iloc[:, 1:].to_numpy(np.float32), ROWS.vectors)
