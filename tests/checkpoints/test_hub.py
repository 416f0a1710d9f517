"""Ids of models on the hub, without a network: what was fetched lies in the hub's own cache."""

import shutil

import pytest
import torch
from huggingface_hub import constants
from small_networks import logits, small_model

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checkpoints.renaming import WeightsError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def fetched(cache, model):
    """The folder of the model's files, as the hub's client would leave it."""
    (cache / "models--someone--clips" / "refs").mkdir(parents=True)
    (cache / "models--someone--clips" / "refs" / "main").write_text(COMMIT)
    folder = cache / "models--someone--clips" / "snapshots" / COMMIT
    model.save_pretrained(folder)
    return folder


def test_an_id_loads_what_the_hub_has(cache):
    model = small_model()
    fetched(cache, model)

    for loaded in (load("someone/clips"), Pretrained.from_pretrained("someone/clips")):
        assert torch.equal(logits(loaded.network), logits(model.network))
        assert loaded.class_names == model.class_names


def test_pickled_weights_are_taken_where_there_are_no_safetensors(cache):
    model = small_model()
    folder = fetched(cache, model)
    (folder / "model.safetensors").unlink()
    torch.save(model.network.state_dict(), folder / "pytorch_model.bin")

    assert torch.equal(logits(load("someone/clips").network), logits(model.network))


def test_a_folder_here_goes_before_the_hub(cache, tmp_path, monkeypatch):
    fetched(cache, small_model("joint"))
    small_model("space").save_pretrained(tmp_path / "someone" / "clips")
    monkeypatch.chdir(tmp_path)

    assert load("someone/clips").config.attention == "space"
    shutil.rmtree(tmp_path / "someone")
    assert load("someone/clips").config.attention == "joint"


def test_without_a_connection_it_is_said_in_words_and_with_the_way_round_it(cache):
    with pytest.raises(
        WeightsError,
        match=r"^someone/else: no such file or folder\. The Hugging Face hub cannot be asked: no connection.* "
        r"hf download someone/else --local-dir FOLDER; then give FOLDER here, or set HF_HOME to a cache",
    ):
        load("someone/else")


def test_a_typo_that_looks_like_an_id_is_asked_about(cache, tmp_path, monkeypatch):
    (tmp_path / "outputs" / "run_0").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(WeightsError, match=r"^otputs/run_0: .*; did you mean outputs/run_0\? The Hugging Face hub"):
        load("otputs/run_0")


@pytest.mark.parametrize("source", ["best.ckpt", "runs/best.ckpt", "/nowhere/clips", "a/b/c", "clips", "timm:vit"])
def test_what_can_be_no_id_is_a_missing_file(cache, source):
    with pytest.raises(
        WeightsError, match=rf"{source}: no such file or folder \(a model on the hub is written owner/name"
    ):
        load(source)
