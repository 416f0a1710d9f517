import pickle

import numpy as np
import pytest

from vidattn.data.boxes.plain_pickle import read_plain_pickle
from vidattn.data.lists.row import ManifestError


class Evil:
    def __reduce__(self):
        return (eval, ("__import__('pathlib').Path('run_by_pickle').touch()",))


def test_a_pickle_that_would_run_something_is_refused_and_does_not_run_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, evil in enumerate([Evil(), {"labels": [np.array([Evil()], object)]}, print, ManifestError]):
        file = tmp_path / f"{number}.pkl"
        file.write_bytes(pickle.dumps(evil))
        with pytest.raises(ManifestError, match=r"nothing in it was run"):
            read_plain_pickle(file)
    assert not (tmp_path / "run_by_pickle").exists()


def test_text_of_python_2_is_read(tmp_path):
    (tmp_path / "old.pkl").write_bytes(b"(dp0\nS'labels'\np1\n(lp2\nS'caf\\xe9'\np3\nas.")
    assert read_plain_pickle(tmp_path / "old.pkl") == {"labels": ["café"]}
