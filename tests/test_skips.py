import os
import subprocess
import sys
from pathlib import Path


def test_a_run_of_several_processes_ends_with_what_it_could_not_test(tmp_path):
    (tmp_path / "conftest.py").write_text("from skips import pytest_terminal_summary")
    (tmp_path / "test_whole_file.py").write_text("import pytest\npytest.importorskip('no_such_library')")
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "def test_one(): pytest.importorskip('another.part')\n"
        "@pytest.mark.skipif(True, reason='no chromium here')\n"
        "def test_two(): pass\n"
        "def test_three(): pytest.skip('no chromium here')\n"
        "def test_four(): pass\n"
    )
    outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment = outer | {"PYTHONPATH": str(Path(__file__).parent), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    words = ["-q", "-p", "xdist.plugin", "-n", "2", "-p", "no:cacheprovider", "-o", "addopts=", str(tmp_path)]

    run = subprocess.run(
        [sys.executable, "-m", "pytest", *words], env=environment, cwd=tmp_path, capture_output=True, text=True
    )

    *_, line, counts = run.stdout.strip().splitlines()
    assert line == "Not tested here: no chromium here (2), another is missing (1), no_such_library is missing (1)"
    assert counts.startswith("1 passed, 4 skipped")
