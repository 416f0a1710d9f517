"""A place with little room, as a full disk or a small container has it, for one process alone."""

import ctypes
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_NEW_MOUNTS = 0x20000  # CLONE_NEWNS
_PRIVATE = 0x44000  # MS_REC | MS_PRIVATE


def with_little_room(folder: str | Path, size: str, job: Callable[[], Any], read_only: bool = False) -> str:
    """What `job` returns or raises, in words, where so much room (as `mount` writes it: "64k") is mounted on a folder.

    In a fork of this process: nothing else sees the mount. Skips the test where mounting is not allowed.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_do, args=(theirs, os.fspath(folder), size, job, read_only))
    process.start()
    theirs.close()
    try:
        kind, text = ours.recv() if ours.poll(120) else ("lost", "nothing came within two minutes")
    finally:
        process.terminate()
        process.join()
    if kind == "refused":
        pytest.skip(f"mounting is not allowed here ({text})")
    assert kind == "said", text
    return text


def _do(answers: Any, folder: str, size: str, job: Callable[[], Any], read_only: bool) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"size={size}".encode()
    for failed in (
        libc.unshare(_NEW_MOUNTS),
        libc.mount(b"none", b"/", None, _PRIVATE, None),
        libc.mount(b"none", folder.encode(), b"tmpfs", int(read_only), options),
    ):
        if failed:
            answers.send(("refused", os.strerror(ctypes.get_errno())))
            return
    try:
        answers.send(("said", str(job())))
    except BaseException as error:
        answers.send(("said", f"{type(error).__name__}: {error}"))
