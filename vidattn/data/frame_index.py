"""The frames of files that do not tell them (MPEG-4 in AVI, as UCF101 and HMDB51), counted once and for all."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

Pts = list[int | None]


class FrameIndex:
    """The times of all frames, in ticks, of some files; written by `vidattn check`.

    A file that was written anew since is not known any more.

    Args:
        path: the JSON file.

    Raises:
        ValueError: it is no such file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        try:
            self._entries = json.loads(self.path.read_text())["frames"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"data.index={path} is no index ({error}); vidattn check DATA --out DIR writes one"
            ) from error

    def pts(self, path: str) -> Pts | None:
        """The times of the file's frames; None where they are not known."""
        entry = self._entries.get(os.path.abspath(path))
        return entry["pts"] if entry is not None and entry["file"] == _identity(path) else None

    def __len__(self) -> int:
        return len(self._entries)


def write_index(path: Path, frames: Mapping[str, Sequence[int | None]]) -> None:
    """The index that `FrameIndex` reads, from the times of the frames by file."""
    entries = {os.path.abspath(name): {"file": _identity(name), "pts": list(pts)} for name, pts in frames.items()}
    path.write_text(json.dumps({"frames": entries}) + "\n")


def _identity(path: str) -> list[int]:
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]
