"""Whose weights answer: those that are named, then the best of the run; never those that the run started from."""

import pytest

from vidattn.checkpoints.renaming import WeightsError
from vidattn.training import run_weights
from vidattn.training.run_weights import best_beside, checkpoint_to_answer_with


@pytest.fixture
def run(tmp_path):
    """Makes the folder of a run with these checkpoints (nobody reads them here); gives its configuration."""

    def make(name, *checkpoints):
        folder = tmp_path / name
        for path in (folder / "config.yaml", *(folder / "checkpoints" / one for one in checkpoints)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return str(folder / "config.yaml")

    return make


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(run_weights, "rank_zero_info", lines.append)
    return lines


def test_the_best_of_the_run_answers_whatever_its_configuration_names(run, said):
    config = run("run_0", "best.ckpt", "last.ckpt")
    best = str(best_beside([config]))
    assert best.endswith("run_0/checkpoints/best.ckpt")
    assert checkpoint_to_answer_with(["--config", config], [config], None, "start.ckpt") == best
    assert said == [f"Weights: {best}, the best of the run whose configuration this is"]


def test_of_several_configurations_the_last_that_has_a_best_decides(run, said):
    configs = [run("run_0", "best.ckpt"), run("run_1", "best.ckpt"), run("plain")]
    assert checkpoint_to_answer_with([], configs, None, None).endswith("run_1/checkpoints/best.ckpt")


def test_a_run_without_a_best_checkpoint_is_not_taken_for_the_weights_it_started_from(run, said):
    config = run("run_0", "last.ckpt")
    last = config.replace("config.yaml", "checkpoints/last.ckpt")
    with pytest.raises(WeightsError, match=rf"run_0 has no checkpoints/best\.ckpt; give one .*: --ckpt_path {last}$"):
        checkpoint_to_answer_with([], [config], None, "start.ckpt")
    assert said == []


def test_weights_that_a_configuration_of_no_run_names_are_said(run, said):
    config = run("elsewhere")
    assert checkpoint_to_answer_with([], [config], None, "start.ckpt") is None  # the task has them
    assert checkpoint_to_answer_with([], [config], "a.ckpt", "start.ckpt") == "a.ckpt"
    assert said == [f"Weights: {name}, which the configuration names" for name in ("start.ckpt", "a.ckpt")]


def test_what_stands_on_the_command_line_comes_first(run, said):
    config = run("run_0", "best.ckpt")
    assert checkpoint_to_answer_with(["--ckpt_path=a.ckpt"], [config], "a.ckpt", None) == "a.ckpt"
    assert checkpoint_to_answer_with(["--model.weights", "b.ckpt"], [config], "a.ckpt", "b.ckpt") is None
    assert said == []


def test_nothing_answers_with_random_weights(run, said):
    with pytest.raises(ValueError, match="there are no weights to answer with; give --ckpt_path RUN/checkpoints/best"):
        checkpoint_to_answer_with([], [run("elsewhere")], None, None)
