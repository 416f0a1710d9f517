"""What `vidattn check` found out about files, kept so that no reader needs to find it out again."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vidattn.data.readers.known import NOTHING, Known
from vidattn.data.videos.identity import Identity, identity
from vidattn.mistakes import Mistake


class IndexEntry(NamedTuple):
    """One file.

    Args:
        num_frames: frames that decoding yields.
        fps: average frames per second.
        width: pixels of the upright picture.
        height: pixels of the upright picture.
        keyframes: numbers of the frames that can be decoded without others.
        known: what spares the reader work.
        file: size and time of writing of the file in which this was found.
    """

    num_frames: int
    fps: float
    width: int
    height: int
    keyframes: list[int]
    known: Known
    file: Identity


class FrameIndex:
    """Frame count, rate, size, keyframes and packets of files; written by `vidattn check`.

    A file that was written anew since is not known any more.

    Args:
        path: the JSON file.

    Raises:
        ValueError: it is no such file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        try:
            self._entries: dict[str, dict[str, Any]] = json.loads(self.path.read_text())["files"]
            wanted = {*IndexEntry._fields, *Known._fields} - {"known"}
            if not all(wanted <= entry.keys() for entry in self._entries.values()):
                raise TypeError("another kind of file, or of another version")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Mistake(
                f"data.index={path} is no index ({error}); vidattn check DATA --out DIR writes one"
            ) from error

    def entry(self, path: str) -> IndexEntry | None:
        """All that the index tells of the file; None where it has changed or is not listed."""
        stored = self._entries.get(os.path.abspath(path))
        if stored is None or tuple(stored["file"]) != identity(path):
            return None
        known = Known(stored["packets"], stored["pts"], stored["unsafe"])
        plain = [stored[name] for name in ("num_frames", "fps", "width", "height", "keyframes")]
        return IndexEntry._make((*plain, known, tuple(stored["file"])))

    def known(self, path: str) -> Known:
        """What spares a reader of the file work; `NOTHING` where it has changed or is not listed."""
        entry = self.entry(path)
        return NOTHING if entry is None else entry.known

    def __len__(self) -> int:
        return len(self._entries)


def write_index(path: Path, entries: Mapping[str, IndexEntry]) -> None:
    """The index that `FrameIndex` reads.

    Args:
        entries: by file.
    """
    stored = {}
    for name, entry in sorted(entries.items()):
        fields = entry._asdict()
        del fields["known"]
        stored[os.path.abspath(name)] = fields | entry.known._asdict()
    path.write_text(json.dumps({"files": stored}) + "\n")
