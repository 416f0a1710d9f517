"""Every notebook runs from top to bottom, in a copy, and is committed with its outputs."""

import os
import shutil
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

REPOSITORY = Path(__file__).parents[1]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
notebooks = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
CELL_SECONDS = 120


@notebooks
def test_it_runs(path, tmp_path, monkeypatch):
    folder = tmp_path / "notebooks"
    shutil.copytree(path.parent, folder)
    (tmp_path / "configs").symlink_to(REPOSITORY / "configs")
    shared = Path(os.environ.get("VIDATTN_TEST_VIDEOS", REPOSITORY.parent / "shared" / "videos"))
    monkeypatch.setenv("VIDATTN_TEST_VIDEOS", str(shared.resolve()))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))  # the kernel's packages are those of this checkout
    notebook = nbformat.read(path, as_version=4)

    nbclient.NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()  # raises the first error of a cell


@notebooks
def test_it_is_committed_with_small_outputs_and_without_errors(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert any(cell.outputs for cell in cells), "run it and commit its outputs"
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert path.stat().st_size < 2_000_000
