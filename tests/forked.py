"""Processes that need not import torch and Lightning, which takes longer than most of what tests run in them.

A nursery imports once, for all processes of a test run; what is started through it is forked off, and from there on is
a process as any other: `python -m vidattn.cli ...` with an environment, a session, arguments and an end of its own.
"""

import contextlib
import fcntl
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).parents[1]
PATHS = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")])
ALONE = {"PYTHONPATH": PATHS, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
OWNER, SERVE = "VIDATTN_TESTS_OWNER", "--serve"
IMPORTED = ["torch", "torchvision", "torch._dynamo", "pytorch_lightning", "jsonargparse", "matplotlib.pyplot", "av"]
IMPORTED += ["tiny_run", "matplotlib.backends.backend_agg", "torch.utils.tensorboard", "einops._torch_specific"]
IF_THERE = ["ipykernel.kernelapp", "pandas", "timm", "transformers"]


class Forked:
    """A running process, as `subprocess.Popen` has it; it leads a session of its own, whose number is its `pid`.

    Args:
        words: what stands behind `python`: `-m`, a module and its arguments; a file and its arguments; `-c` and code.
        output: where it writes; a pipe otherwise, which `communicate` reads.
        errors: where its errors go; to its output otherwise.
        input: what it reads from; nothing otherwise.
        folder: where it begins.
        variables: changes of its environment; None for one that is not set.
    """

    def __init__(
        self, *words: Any, output: int | None = None, errors: int | None = None, input: int | None = None,
        folder: str = str(REPOSITORY), **variables: str | None,
    ) -> None:  # fmt: skip
        self.returncode: int | None = None
        self.stdout: IO[bytes] | None = None
        with contextlib.ExitStack() as ours:
            if input is None:
                input = ours.enter_context(open(os.devnull, "rb")).fileno()
            if output is None:
                reading, output = os.pipe()
                self.stdout = os.fdopen(reading, "rb", 0)
                ours.callback(os.close, output)
            self._connection = connect()
            environment = os.environ | ALONE | variables
            request = {
                "words": [str(word) for word in words],
                "environment": {name: value for name, value in environment.items() if value is not None},
                "folder": folder,
            }
            streams = [input, output, output if errors is None else errors]
            socket.send_fds(self._connection, [json.dumps(request).encode() + b"\n"], streams)
            self._answers = self._connection.makefile("r")
            self.pid = int(self._answers.readline())

    def poll(self) -> int | None:
        """Its status, once it has ended; that of a signal is negative."""
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its status, when it has ended."""
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.returncode = int(self._answers.readline())
            self._connection.close()
        return self.returncode

    def kill(self) -> None:
        """End it, and not those that it has started."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """What it wrote, when all that can write there have ended."""
        said, deadline = [], time.monotonic() + timeout if timeout else None
        while self.stdout and not self.stdout.closed:
            left = None if deadline is None else max(0, deadline - time.monotonic())
            if not select.select([self.stdout], [], [], left)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            said.append(os.read(self.stdout.fileno(), 1 << 16))
            if not said[-1]:
                self.stdout.close()
        self.wait(timeout)
        return b"".join(said).decode(errors="replace"), None


def owner() -> int:
    """The process with which the nursery ends: that of the test run."""
    return int(os.environ.get(OWNER) or (os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()))


def connect() -> socket.socket:
    """A connection to the nursery of this test run, which begins with the first; xdist's processes share it."""
    address = Path(tempfile.gettempdir()) / f"vidattn-nursery-{owner()}"
    connection = socket.socket(socket.AF_UNIX)
    with address.with_name(f"{address.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            connection.connect(str(address))
        except (FileNotFoundError, ConnectionRefusedError):  # refused: left behind by a run of the same number
            address.unlink(missing_ok=True)
            _begin(address)
            connection.connect(str(address))
    return connection


def _begin(address: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen(16)
        subprocess.Popen(
            [sys.executable, __file__, SERVE, str(listening.fileno()), str(owner())],
            env=os.environ | ALONE,
            cwd=REPOSITORY,
            pass_fds=[listening.fileno()],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


def serve(listening: socket.socket, owner: int) -> list[str] | None:
    """Fork off what is asked for, until the owner has ended; its words, in each new process."""
    running: dict[int, socket.socket] = {}
    while _lives(owner):
        if select.select([listening], [], [], 0.02)[0]:
            connection = listening.accept()[0]
            data, streams, *_ = socket.recv_fds(connection, 1 << 20, 3)
            while not data.endswith(b"\n"):
                data += connection.recv(1 << 20)
            request = json.loads(data)
            pid = os.fork()
            if pid == 0:
                for other in (listening, connection, *running.values()):
                    other.close()
                return _become(request, streams)
            running[pid] = connection
            for stream in streams:
                os.close(stream)
            _answer(connection, pid)
        while running and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with running.pop(ended[0]) as connection:
                _answer(connection, os.waitstatus_to_exitcode(ended[1]))
    return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _answer(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # who asked may be gone
        connection.sendall(f"{number}\n".encode())


def _become(request: dict[str, Any], streams: list[int]) -> list[str]:
    """Make this a process of the request's own: streams, session, environment. Its words come back."""
    os.setsid()
    # A shell lets its background jobs ignore Ctrl-C, and all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = sys.__stdin__ = os.fdopen(0)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w")
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    return request["words"]


def run(words: list[str]) -> None:
    """What `python <words>` runs, as its main module."""
    if words[0] == "-c":
        sys.argv = words[:1]
        sys.modules["__main__"] = types.ModuleType("__main__")
        exec(words[1], vars(sys.modules["__main__"]))
    elif words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def ours() -> list[str]:
    """All modules of the package but the one that runs as a process's main module."""
    folder = REPOSITORY / "vidattn"
    files = (path.relative_to(REPOSITORY).with_suffix("") for path in sorted(folder.rglob("*.py")))
    names = [".".join(file.parts).removesuffix(".__init__") for file in files]
    return [name for name in names if name != "vidattn.cli"]


def main(words: list[str]) -> None:
    """Be the nursery; or, for who starts processes himself, stand for one that is forked off: `forked.py -m module`."""
    if words[0] != SERVE:
        words = words[words[0] == "-u" :]  # nothing of ours is buffered
        as_here = {name: os.environ.get(name) for name in ALONE} if words[0] == "-c" else {}  # xdist's look for a GPU
        sys.exit(Forked(*words, input=0, output=1, errors=2, folder=os.getcwd(), **as_here).wait())
    with socket.socket(fileno=int(words[1])) as listening:
        gc.disable()
        for name in IMPORTED:
            importlib.import_module(name)
        for name in [*ours(), *IF_THERE]:
            with contextlib.suppress(Exception):  # what it needs is not there, or is broken: its tests say so
                importlib.import_module(name)
        gc.freeze()  # it stays: no process forked off looks through it for garbage
        gc.enable()
        address = listening.getsockname()
        asked = serve(listening, int(words[2]))
    if asked is not None:
        run(asked)
    else:
        for path in (address, f"{address}.lock"):
            os.unlink(path)


if __name__ == "__main__":
    main(sys.argv[1:])
