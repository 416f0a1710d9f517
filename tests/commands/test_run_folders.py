import os
from pathlib import Path

from vidattn.commands.run_folders import RUN_VARIABLE, next_run, remove_if_nothing_came


def test_two_runs_that_start_together_have_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.delenv(RUN_VARIABLE, raising=False)
    glob = Path.glob

    def late(self, pattern):
        """Another run makes its folder right after this one has looked."""
        found = list(glob(self, pattern))
        (tmp_path / "run_0").mkdir()
        return found

    monkeypatch.setattr(Path, "glob", late)

    assert next_run(tmp_path, "run") == ("run_1", True)
    assert next_run(tmp_path, "run") == ("run_1", False)  # a process that the first one starts
    os.environ.pop(RUN_VARIABLE)  # not by monkeypatch, which would put it back for all tests that follow


def test_a_failed_run_leaves_its_folder_only_where_something_came_of_it(tmp_path):
    for run, files in {
        "run_0": ["config.yaml", "events.out.tfevents.1"],
        "run_1": ["config.yaml", "a/best.ckpt"],
    }.items():
        for file in files:
            (tmp_path / run / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / run / file).touch()
        remove_if_nothing_came(tmp_path / run)
    assert [path.name for path in tmp_path.iterdir()] == ["run_1"]
