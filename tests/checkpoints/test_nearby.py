"""A path that names no checkpoint is answered with one that does."""

import re

import pytest
import torch

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checkpoints.renaming import WeightsError


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """`outputs/motion/run_0/checkpoints/best.ckpt` and `last.ckpt`, here."""
    folder = tmp_path / "outputs" / "motion" / "run_0" / "checkpoints"
    folder.mkdir(parents=True)
    for name in ("best.ckpt", "last.ckpt"):
        (folder / name).write_bytes(b"weights")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("outputs/motion/run_1", "outputs/motion/run_0"),
        ("outputs/motion/run_0/checkpoints/bset.ckpt", "outputs/motion/run_0/checkpoints/best.ckpt"),
        ("outptus/motoin/run_0/checkpoints/best.ckpt", "outputs/motion/run_0/checkpoints/best.ckpt"),
    ],
)
def test_a_typo_is_asked_about(runs, given, meant):
    with pytest.raises(WeightsError, match=f"^{given}: no such file or folder; did you mean {re.escape(meant)}\\?$"):
        load(given)


def test_what_is_like_nothing_here_is_only_missing(runs):
    with pytest.raises(WeightsError, match=r"^outputs/kinetics: no such file or folder \(a model on the hub"):
        load("outputs/kinetics")


def test_a_folder_of_runs_names_them(runs):
    with pytest.raises(WeightsError, match=r"^outputs/motion: .*; give outputs/motion/run_0$"):
        load("outputs/motion")


def test_the_folder_of_a_runs_checkpoints_names_its_files(runs):
    folder = "outputs/motion/run_0/checkpoints"
    with pytest.raises(WeightsError, match=f"^{folder}: .*; give {folder}/best.ckpt or {folder}/last.ckpt$"):
        load(folder)


def test_a_run_that_was_stopped_before_its_best_weights_names_its_last(runs):
    (runs / "best.ckpt").unlink()

    with pytest.raises(WeightsError, match=r"; give outputs/motion/run_0/checkpoints/last\.ckpt$"):
        load("outputs/motion/run_0")


@pytest.mark.parametrize("read", [load, Pretrained.from_pretrained])
@pytest.mark.parametrize("source", [None, 5, torch.nn.Linear(2, 2)])
def test_what_is_no_path_is_told_what_was_wanted(read, source):
    kind = type(source).__name__
    with pytest.raises(TypeError, match=f"source of type {kind}: wanted a path, or the id of a model on the hub"):
        read(source)


def test_a_file_is_read_by_from_pretrained_as_by_load(runs):
    """It went to the hub for everything but a folder."""
    with pytest.raises(WeightsError, match=r"best\.ckpt: is no checkpoint"):
        Pretrained.from_pretrained("outputs/motion/run_0/checkpoints/best.ckpt")
