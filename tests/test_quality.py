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


def test_no_file_holds_a_path_of_one_machine():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    for name in listed:
        text = (ROOT / name).read_text(errors="ignore") if (ROOT / name).is_file() else ""
        assert f"{ROOT}/" not in text, name


def test_our_own_errors_are_mistakes_which_commands_end_at_in_a_line():
    for path in (ROOT / "vidattn").rglob("*.py"):
        raised = re.findall(r"(?m)^\s*raise (?:ValueError|ImportError|FloatingPointError)\(", path.read_text())
        assert not raised, f"{path}: raise vidattn.mistakes.Mistake"
