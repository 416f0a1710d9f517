"""What `vidattn check` has found out about files once and for all, so that no reader need find it out again."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Pts = list[int | None]


class Known(NamedTuple):
    """What is known of a file before it is opened.

    Args:
        pts: the times of all frames, in ticks, where only decoding tells them (MPEG-4 in AVI, as UCF101 and HMDB51);
            else None.
        unsafe: seeking has given other frames than decoding from the start, so the file is decoded from its start.
    """

    pts: Pts | None = None
    unsafe: bool = False


NOTHING = Known()


class FrameIndex:
    """Files whose frames must be counted, and files that cannot be sought in; written by `vidattn check`.

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

    def known(self, path: str) -> Known:
        """What the index tells of the file; `NOTHING` where it has changed or is not listed."""
        entry = self._entries.get(os.path.abspath(path))
        if entry is None or entry["file"] != _identity(path):
            return NOTHING
        return Known(entry["pts"], entry.get("unsafe", False))

    def __len__(self) -> int:
        return len(self._entries)


def write_index(path: Path, counted: Mapping[str, Sequence[int | None]], unsafe: Collection[str]) -> None:
    """The index that `FrameIndex` reads.

    Args:
        counted: the times of the frames, by file, where only decoding tells them.
        unsafe: files that cannot be sought in.
    """
    entries = {}
    for name in sorted({*counted, *unsafe}):
        if identity := _identity(name):
            pts = list(counted[name]) if name in counted else None
            entries[os.path.abspath(name)] = {"file": identity, "pts": pts, "unsafe": name in unsafe}
    path.write_text(json.dumps({"frames": entries}) + "\n")


def _identity(path: str) -> list[int] | None:
    """Size and time of writing; None for a file that is gone."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
