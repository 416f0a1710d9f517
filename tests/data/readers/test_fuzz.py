"""Files broken in every way: an error or frames, never a crash, a hang or a leak. See `fuzz.py`.

A share by default; `VIDATTN_FUZZ=2000` sets how many files each reader gets.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest
from backends import need

COUNT = int(os.environ.get("VIDATTN_FUZZ", "60"))
LEAK_KIB = 48 << 10


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    return fuzz.write_seeds(tmp_path_factory.mktemp("seeds"))


@pytest.mark.timeout(60 + COUNT)
@pytest.mark.parametrize("reader", ["pyav", "decord", "torchcodec"])
def test_broken_files_give_an_error_or_frames(seeds, reader):
    if reader != "pyav":
        need(reader)
    tests = Path(fuzz.__file__).parent
    paths = os.pathsep.join([str(tests), str(tests.parent)])
    run = subprocess.run(
        [sys.executable, fuzz.__file__, reader, str(seeds), "0", str(COUNT)],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        errors="replace",
    )
    last = run.stdout.splitlines()[-1]
    assert run.returncode == 0, f"{reader} ended on broken file {last}:\n{run.stderr[-3000:]}"
    outcome = json.loads(last)
    assert outcome["frames"] > 0  # the mutations are not so wild that nothing is left to decode
    assert outcome["error"] > 0
    assert outcome["growth_kib"] < LEAK_KIB
