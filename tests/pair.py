"""Two processes that stay: started once, as by torchrun, they run `vidattn` commands one after another."""

import contextlib
import faulthandler
import json
import os
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import IO, Any

from forked import Forked


class Pair:
    """Both processes, each with one thread, talking through gloo.

    Args:
        folder: where each writes what it prints.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[Forked] = []
        self.words: list[IO[bytes]] = []  # to each

    def begin(self) -> None:
        """Start them, if they do not run."""
        if self.processes:
            return
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        shared = {"TORCHELASTIC_RUN_ID": "pair", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        shared |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0"}
        for rank, path in enumerate(self._outputs()):
            path.touch()
            reads, writes = os.pipe()
            ranks = {"RANK": str(rank), "LOCAL_RANK": str(rank)}
            self.processes.append(Forked("-m", "pair", path, input=reads, **shared, **ranks))
            self.words.append(os.fdopen(writes, "wb", 0))
            os.close(reads)

    def run(self, *words: Any, status: int = 0, timeout: float = 200) -> str:
        """What both print on `vidattn <words>`, the first process first; fails where that leaves with another status.

        Where one fails and the other waits for it, both end, and the next call starts new ones.
        """
        self.begin()
        before = [path.stat().st_size for path in self._outputs()]
        for stream in self.words:
            stream.write(json.dumps([str(word) for word in words]).encode() + b"\n")
        answers: list[bytes] = [b"", b""]
        deadline = time.monotonic() + timeout
        for process in self.processes:
            os.set_blocking(process.stdout.fileno(), False)  # type: ignore[union-attr]
        while not all(answers) and time.monotonic() < deadline:
            time.sleep(0.01)
            for place, process in enumerate(self.processes):
                answers[place] = answers[place] or process.stdout.read() or b""  # type: ignore[union-attr]
                if not answers[place] and process.poll() is not None:
                    answers[place] = f"ended with {process.returncode}".encode()
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
        for process, stream in zip(self.processes, self.words, strict=True):
            process.kill()
            process.wait()
            stream.close()
        self.processes, self.words = [], []

    def _outputs(self) -> list[Path]:
        return [self.folder / f"output_{rank}.txt" for rank in range(2)]


def serve(path: str) -> None:
    """Run the commands that come through standard input, one a line, and answer with the status of each.

    Args:
        path: what a command prints goes there, and its errors.
    """
    answer = os.fdopen(os.dup(1), "w")
    with open(path, "ab") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    faulthandler.enable()  # a crash in native code says where

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
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(ValueError):
                stream.flush()
        print(status, file=answer, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
