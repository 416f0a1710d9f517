import collections
import pathlib
import types
from argparse import Namespace

import numpy as np
import pytest
import torch
from small_networks import small_model

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.renaming import WeightsError


def our_checkpoint(folder):
    model = small_model()
    about = {
        "format": 1,
        "network": model.config.to_dict(),
        "class_names": [],
        "preprocessing": model.preprocessing.to_dict(),
    }
    state = {f"network.{name}": value for name, value in model.network.state_dict().items()}
    torch.save({"state_dict": state, "vidattn": about}, folder / "run.ckpt")
    return folder / "run.ckpt"


PLAIN = {
    "options": Namespace(lr=0.1, data=Namespace(root="clips"), seed=None),
    "simple": types.SimpleNamespace(lr=0.1),
    "number": np.float64(0.5),
    "numbers": [np.float32(1.5), np.int64(3), np.bool_(True), np.uint8(7)],
    "array": np.arange(6.0).reshape(2, 3),
    "random state": np.random.RandomState(0).get_state(),
    "path": pathlib.Path("runs") / "a",
    "windows": pathlib.PureWindowsPath("C:/runs"),
    "counts": collections.Counter("aab"),
    "ordered": collections.OrderedDict(a=1),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", PLAIN)
def test_plain_values_beside_the_weights_are_no_hindrance(tmp_path, name, zipped):
    checkpoint = torch.load(our_checkpoint(tmp_path), weights_only=True)
    path = tmp_path / "with.ckpt"
    torch.save({**checkpoint, "beside": PLAIN[name]}, path, _use_new_zipfile_serialization=zipped)

    assert torch.equal(load(path).network.head.weight, load(tmp_path / "run.ckpt").network.head.weight)


def test_a_number_of_an_older_numpy_is_read_by_its_old_name(tmp_path):
    checkpoint = torch.load(our_checkpoint(tmp_path), weights_only=True)
    torch.save({**checkpoint, "best": np.float64(0.5)}, tmp_path / "old.ckpt", _use_new_zipfile_serialization=False)
    renamed = (tmp_path / "old.ckpt").read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    (tmp_path / "old.ckpt").write_bytes(renamed)

    assert load(tmp_path / "old.ckpt").config.attention == "divided"


class Noted(Namespace):
    """A class of somebody's own, though it looks like a plain one."""


def test_a_class_of_somebodys_own_is_still_refused_and_the_list_of_safe_ones_does_not_grow(tmp_path):
    before = set(torch.serialization.get_safe_globals())
    torch.save({"state_dict": {}, "args": Noted(lr=1)}, tmp_path / "own.ckpt")

    with pytest.raises(WeightsError, match=r"own\.ckpt: holds Python objects or code \([\w.]*test_plain\.Noted\)"):
        load(tmp_path / "own.ckpt")

    assert set(torch.serialization.get_safe_globals()) == before


class Opener:
    """Unpickled inside an array of objects, it would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_code_inside_an_array_or_options_does_not_run(tmp_path):
    for number, hidden in enumerate(
        (np.array([Opener(tmp_path / "trace")], object), Namespace(x=Opener(tmp_path / "trace")))
    ):
        torch.save({"state_dict": {}, "beside": hidden}, tmp_path / f"{number}.ckpt")

        with pytest.raises(WeightsError, match=r"holds Python objects or code"):
            load(tmp_path / f"{number}.ckpt")

    assert not (tmp_path / "trace").exists()
