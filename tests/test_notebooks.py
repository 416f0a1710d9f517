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


@notebooks
def test_it_runs(path, tmp_path, monkeypatch, kernel):
    folder = tmp_path / "notebooks"
    shutil.copytree(path.parent, folder)
    (tmp_path / "configs").symlink_to(REPOSITORY / "configs")
    shared = Path(os.environ.get("VIDATTN_TEST_VIDEOS", REPOSITORY.parent / "shared" / "videos"))
    monkeypatch.setenv("VIDATTN_TEST_VIDEOS", str(shared.resolve()))
    monkeypatch.setenv("VIDATTN_NOTEBOOK_EPOCHS", "1")  # a try of what trains for minutes
    notebook = nbformat.read(path, as_version=4)

    nbclient.NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        startup_timeout=CELL_SECONDS,
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
