"""ruff, mypy and import-linter as tests, so that CI keeps what they check."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = {
    "format": [sys.executable, "-m", "ruff", "format", "--check", "vidattn", "tests"],
    "lint": [sys.executable, "-m", "ruff", "check", "vidattn", "tests", "notebooks"],
    "types": [sys.executable, "-m", "mypy"],
    "floors": [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tree_passes(tool):
    result = subprocess.run(TOOLS[tool], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git checkout")
def test_no_file_holds_a_path_of_one_machine():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if (ROOT / name).is_file()]
    assert Path(__file__) in files
    somewhere = re.compile(rf"{re.escape(str(ROOT))}/|/(?:home|root|Users|work)/\w")
    for file in files:
        assert not somewhere.search(file.read_text(errors="ignore")), file


def test_our_own_errors_are_mistakes_which_commands_end_at_in_a_line():
    for path in (ROOT / "vidattn").rglob("*.py"):
        raised = re.findall(r"(?m)^\s*raise (?:ValueError|ImportError|FloatingPointError)\(", path.read_text())
        assert not raised, f"{path}: raise vidattn.mistakes.Mistake"
