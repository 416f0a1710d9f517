"""Every notebook runs from top to bottom, in a copy, and is committed with its outputs."""

import json
import os
import shutil
import sys
from pathlib import Path

import forked
import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

REPOSITORY = Path(__file__).parents[1]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
notebooks = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
CELL_SECONDS = 280  # by the clock, and others may use the processor
SHORTER = {  # what takes long and proves no more for it: the copy repeats less often, and draws less
    "01_follow_one_clip": {"range(31)": "range(2)"},
    "02_divided_vs_joint": {"rounds=5": "rounds=1"},
    "03_classify_a_clip": {"torch.arange(768)": "torch.arange(64)", "for _ in range(8)": "for _ in range(1)"},
    "04_attention_maps": {
        "draw(1200, seed=1)": "draw(40, seed=1)",
        "steps=1000": "steps=2",
        "steps=60": "steps=2",
        "draw(32, seed=2)": "draw(2, seed=2)",
        "draw(64, seed=4)": "draw(16, seed=4)",
    },
    "05_fine_tune_on_your_videos": {
        "torch.arange(1200)": "torch.arange(40)",
        "range(600)": "range(2)",
        "range(34)": "range(7)",
        "number < 24": "number < 5",
    },
    "06_learn_without_labels": {"STEPS := 600": "STEPS := 5", "range(608)": "range(40)"},
}


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """The name of a kernel that need not import what all notebooks do."""
    words = [sys.executable, forked.__file__, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    folder = tmp_path / "jupyter" / "kernels" / "forked"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps({"argv": words, "display_name": "Forked", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv(forked.OWNER, str(forked.owner()))
    return "forked"


def shorter(notebook, changes):
    """The notebook with these changes of its code, each of one cell."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for written, less in changes.items():
        (cell,) = [cell for cell in code if written in cell.source]
        cell.source = cell.source.replace(written, less)
    return notebook


@notebooks
def test_it_runs(path, tmp_path, monkeypatch, kernel):
    folder = tmp_path / "notebooks"
    shutil.copytree(path.parent, folder)
    (tmp_path / "configs").symlink_to(REPOSITORY / "configs")
    shared = Path(os.environ.get("VIDATTN_TEST_VIDEOS", REPOSITORY.parent / "shared" / "videos"))
    monkeypatch.setenv("VIDATTN_TEST_VIDEOS", str(shared.resolve()))
    monkeypatch.setenv("VIDATTN_NOTEBOOK_EPOCHS", "1")  # a try of what trains for minutes
    notebook = shorter(nbformat.read(path, as_version=4), SHORTER.get(path.stem, {}))

    nbclient.NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        startup_timeout=CELL_SECONDS,  # the nursery may have yet to import
        kernel_name=kernel,
        resources={"metadata": {"path": str(folder)}},
    ).execute()  # raises the first error of a cell


@notebooks
def test_it_is_committed_with_small_outputs_and_without_errors(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert any(cell.outputs for cell in cells), "run it and commit its outputs"
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert path.stat().st_size < 2_000_000
