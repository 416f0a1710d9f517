"""What was found so far, on disk: a check that was broken off goes on, and the next one looks at what is new."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vidattn.data.check.probe import Probe
from vidattn.data.readers.known import Known
from vidattn.data.readers.members import Member

_FORMAT = 1  # another number makes old journals count for nothing


class Journal:
    """A file of probes, a line each. It does not count for videos that were written anew since, or probed otherwise.

    Args:
        path: the journal; it need not exist yet.
        min_frames: what counted as "too short".
    """

    def __init__(self, path: Path, min_frames: int) -> None:
        self.path = path
        self.min_frames = min_frames
        self._entries: dict[str, dict[str, Any]] = {}
        if path.is_file():
            for line in path.read_text().splitlines():
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue  # the last line of a process that was killed
                self._entries[entry["probe"]["path"]] = entry
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = self.path.open("a", buffering=1)  # a line at a time

    def find(self, path: str, timeout: float | None) -> Probe | None:
        """What was found in the file; None where it is not known or has changed.

        Args:
            timeout: seconds a video may take now: what was given up after fewer is tried again.
        """
        entry = self._entries.get(path)
        file = _identity(path)
        if entry is None or entry["how"] != [_FORMAT, self.min_frames] or entry["file"] != file or file is None:
            return None
        probe = Probe(**entry["probe"] | {"known": Known(*entry["probe"]["known"])})
        too_slow = "too slow" in probe.problems and (timeout is None or timeout > (entry["timeout"] or 0))
        return None if too_slow else probe

    def add(self, probe: Probe, timeout: float | None) -> None:
        """Write one line."""
        entry = {
            "how": [_FORMAT, self.min_frames],
            "timeout": timeout,
            "file": _identity(probe.path),
            "probe": asdict(probe) | {"known": list(probe.known)},
        }
        self._stream.write(json.dumps(entry) + "\n")

    def close(self) -> None:
        """Free the file."""
        self._stream.close()


def _identity(path: str) -> list[int] | None:
    """Size and time of writing of a file, a folder or a shard; None where it is gone or behind a URL."""
    member = Member.parse(path)
    try:
        status = os.stat(path if member is None else member.shard)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
