"""Two processes that stay: they start once, as torchrun starts them, and then run `vidattn` commands one after another.

A process that imports torch and Lightning takes seconds before it does anything, a tiny training takes one.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from tiny_run import REPOSITORY


class Pair:
    """Both processes, each with one thread, talking through gloo.

    Args:
        folder: where each writes what it prints.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def begin(self) -> None:
        """Start them, if they do not run; they import while the caller does something else."""
        if self.processes:
            return
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        paths = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")])
        shared = {
            "PYTHONPATH": paths,
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "TORCHELASTIC_RUN_ID": "pair",
        }
        shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
        for rank in range(2):
            environment = os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank), "GROUP_RANK": "0"}
            with (self.folder / f"output_{rank}.txt").open("wb") as output:
                self.processes.append(
                    subprocess.Popen(
                        [sys.executable, "-u", __file__], env=environment, cwd=REPOSITORY, stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, stderr=output,
                    )
                )  # fmt: skip

    def run(self, *words: Any, status: int = 0, timeout: float = 200) -> str:
        """What both print on `vidattn <words>`, the first process first; fails where that leaves with another status.

        Where one fails and the other waits for it, both end, and the next call starts new ones.
        """
        self.begin()
        before = [path.stat().st_size for path in self._outputs()]
        for process in self.processes:
            process.stdin.write(json.dumps([str(word) for word in words]).encode() + b"\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
        answers: list[bytes] = [b"", b""]
        deadline = time.monotonic() + timeout
        for process in self.processes:
            os.set_blocking(process.stdout.fileno(), False)  # type: ignore[union-attr]
        while not all(answers) and time.monotonic() < deadline:
            time.sleep(0.01)
            for place, process in enumerate(self.processes):
                answers[place] = answers[place] or process.stdout.read() or b""  # type: ignore[union-attr]
                if not answers[place] and process.poll() is not None:
                    answers[place] = b"ended"
            if any(answer.strip() not in (b"", b"0", str(status).encode()) for answer in answers):
                deadline = min(deadline, time.monotonic() + 5)
        said = "".join(path.read_bytes()[start:].decode() for path, start in zip(self._outputs(), before, strict=True))
        first, second = (answer.decode().strip() for answer in answers)
        if first != str(status) or second not in ("0", first):
            self.end()
            raise AssertionError(f"vidattn {' '.join(map(str, words))}: the processes answered {answers}\n{said}")
        return said

    def end(self) -> None:
        """End both."""
        for process in self.processes:
            process.kill()
            process.communicate()
        self.processes = []

    def _outputs(self) -> list[Path]:
        return [self.folder / f"output_{rank}.txt" for rank in range(2)]


def serve() -> None:
    """Run the commands that come through standard input, one a line, and answer with the status of each."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a command prints goes where its errors go

    from vidattn.cli import main

    for line in sys.stdin:
        status: Any = 0
        try:
            main(json.loads(line))
        except SystemExit as end:
            status = end.code or 0
        except BaseException:
            traceback.print_exc()
            status = 1
        with contextlib.suppress(ValueError):
            sys.stdout.flush()
        print(status, file=answer, flush=True)


if __name__ == "__main__":
    serve()
