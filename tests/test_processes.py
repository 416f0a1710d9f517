import os
import sys
import time
from contextlib import closing
from functools import partial
from multiprocessing import active_children, get_context

import pytest

from vidattn.processes import each_in_processes, live_with_parent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks")


def noted(folder, name):
    """Dies over `killer`, and over `once` the first time; a file counts how often each was begun."""
    with open(folder / name, "a") as file:
        file.write("x")
    if name == "killer" or (name == "once" and (folder / name).read_text() == "x"):
        time.sleep(0.1)  # its neighbour has begun
        os._exit(1)
    return name.upper()


def test_a_process_that_dies_takes_only_what_killed_it(tmp_path):
    names = ["a", "once", "b", "killer", "c", "d", "e"]

    done = dict(each_in_processes(names, partial(noted, tmp_path), 2, get_context("fork"), live_with_parent))

    assert done == {name: None if name == "killer" else name.upper() for name in names}
    begun = {name: len((tmp_path / name).read_text()) for name in names}
    assert begun["killer"] == begun["once"] == 2
    assert sum(begun.values()) <= len(names) + 4  # the two, and at most one neighbour of each


def test_closed_before_its_end_it_leaves_no_processes(tmp_path):
    before = set(active_children())
    with closing(
        each_in_processes("abcdef", partial(noted, tmp_path), 2, get_context("fork"), live_with_parent)
    ) as done:
        next(done)
    assert set(active_children()) == before
