"""Findings kept on disk, so that an interrupted check resumes and the next one only looks at new files."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av

from vidattn.data.check.probe import Probe
from vidattn.data.readers.known import Known
from vidattn.data.videos.identity import identity

_FORMAT = 2  # another number makes old journals count for nothing


class Journal:
    """A file of probes, a line each. It does not count for videos that were written anew since, or probed otherwise.

    Nor does it hold what could not be used, or folders of pictures, which do not tell whether one was written anew.

    Args:
        path: the journal; it need not exist yet.
        min_frames: what counted as "too short".
    """

    def __init__(self, path: Path, min_frames: int) -> None:
        self.path = path
        self._how = [_FORMAT, av.__version__, min_frames]
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

    def find(self, path: str) -> Probe | None:
        """What was found in the file; None where it is not known, or has changed."""
        entry = self._entries.get(path)
        if entry is None or entry["how"] != self._how:
            return None
        stored = entry["probe"]
        probe = Probe(**stored | {"known": Known(*stored["known"]), "file": tuple(stored["file"])})
        return probe if probe.file == identity(path) else None

    def add(self, probe: Probe) -> None:
        """Write one line; nothing where the next check could not tell whether the file is still the same.

        Nor for a file that could not be used, as the fault may pass: memory was short, a disk did not answer.
        """
        if probe.usable and probe.file is not None:
            plain = asdict(probe) | {"known": list(probe.known)}
            self._stream.write(json.dumps({"how": self._how, "probe": plain}) + "\n")

    def close(self) -> None:
        """Free the file."""
        self._stream.close()
