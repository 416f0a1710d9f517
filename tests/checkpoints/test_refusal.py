import pickle
import traceback
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.renaming import WeightsError


def test_safetensors_of_something_else_name_what_they_hold(tmp_path):
    save_file({"stem.weight": torch.zeros(3), "stem.bias": torch.zeros(3)}, tmp_path / "resnet.safetensors")

    with pytest.raises(WeightsError, match=r"resnet\.safetensors: neither a checkpoint of vidattn.*stem\.bias"):
        load(tmp_path / "resnet.safetensors")


class Intruder:
    """Unpickled, it would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


UNSAFE = {
    "object.pth": lambda path: torch.save(torch.nn.Linear(2, 2), path),
    "new.pkl": lambda path: path.write_bytes(pickle.dumps({"x": Intruder("trace")}, protocol=4)),
}


NAMED = {"object.pth": "torch.nn.modules.linear.Linear", "new.pkl": ""}


@pytest.mark.parametrize(("name", "write"), UNSAFE.items())
def test_nobody_is_advised_to_unpickle_what_could_run_code(tmp_path, name, write):
    write(tmp_path / name)

    with pytest.raises(WeightsError) as error:
        load(tmp_path / name)

    said = "".join(traceback.format_exception(error.value))  # what a user sees
    assert f"{name}: " in said
    assert NAMED[name] in said
    assert "holds Python objects or code" in said
    assert "save its state_dict (torch.save(model.state_dict(), ...))" in said
    assert "will likely succeed" not in said  # PyTorch's advice: weights_only=False


@pytest.mark.parametrize(
    "content",
    [
        b"import torch\n",
        b"model:\n  network:\n",
        b"\x00\x00\x00\x20ftypisom\x00\x00",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"<html>404",
    ],
)
def test_a_file_of_another_kind_is_no_checkpoint(tmp_path, content):
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(WeightsError, match=r"file: is no checkpoint; wanted a \.safetensors, \.ckpt.* or a folder$"):
        load(tmp_path / "file")


def test_a_zip_archive_of_something_else_is_no_checkpoint(tmp_path):
    with zipfile.ZipFile(tmp_path / "clips.zip", "w") as archive:
        archive.writestr("clips/a.mp4", b"")

    with pytest.raises(WeightsError, match=r"clips\.zip: a zip archive that is no checkpoint; wanted"):
        load(tmp_path / "clips.zip")


def test_a_compiled_model_is_code(tmp_path):
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:  # as torch.jit.save leaves it
        archive.writestr("script/data.pkl", b"")
        archive.writestr("script/constants.pkl", b"")

    with pytest.raises(
        WeightsError, match=r"script\.pt: a TorchScript archive, which holds code .* save its state_dict"
    ):
        load(tmp_path / "script.pt")


def test_a_pointer_of_git_lfs_says_how_the_weights_are_fetched(tmp_path):
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")

    with pytest.raises(WeightsError, match="git lfs pull"):
        load(tmp_path / "model.safetensors")
