"""The list of videos that could not be decoded: written by one run, read by the next, and by all workers meanwhile."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from vidattn.data.errors import VideoDecodeError
from vidattn.data.videos.identity import absolute, status_of
from vidattn.mistakes import Mistake

COLUMNS = ("path", "reason", "bytes", "modified")


class QuarantinedError(VideoDecodeError):
    """A video on the quarantine list was asked for; it is skipped, whatever `on_error` says."""


class _Entry(NamedTuple):
    reason: str
    size: int
    modified: int


class Quarantine:
    """A CSV file of paths and reasons. A file that has changed since (was downloaded again) counts as good again; so
    do the videos of a shard that was written anew. Behind a URL nothing tells that, and what is listed stays so.

    The list does not shorten the dataset: order, labels and random draws stay what they are, so that a run can be
    resumed exactly. The videos are only not opened any more. Several processes may add to it at the same time.

    Args:
        path: the list; it need not exist yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self._entries: dict[str, _Entry] = {}
        self._read: tuple[int, int] | None = None  # size and time of the list when it was read

    def check(self, path: str) -> None:
        """Raises:
        QuarantinedError: the video is on the list.
        """
        self.read()
        entry = self._entries.get(absolute(path))
        if entry is not None and _identity(path) == (entry.size, entry.modified):
            raise QuarantinedError(path, f"on the quarantine list {self.path}: {entry.reason}")

    def add(self, reasons: Mapping[str, str]) -> None:
        """Put videos on the list, by path, that are not there."""
        self.read()
        rows = []
        for path, reason in reasons.items():
            known = self._entries.get(absolute(path))
            if known is None or _identity(path) != (known.size, known.modified):
                rows.append([absolute(path), " ".join(reason.split()), *_identity(path)])
        if not rows:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torn = self.path.exists() and self.path.read_bytes()[-1:] not in (b"", b"\n")  # edited by hand, mostly
        # One write at the end of the file: processes that add at the same time do not cut each other's lines.
        with self.path.open("a", newline="", buffering=1 << 20, encoding="utf-8", errors="surrogateescape") as stream:
            writer = csv.writer(stream)
            if stream.tell() == 0:
                writer.writerow(COLUMNS)
            elif torn:
                stream.write("\n")
            writer.writerows(rows)

    def drop(self, paths: Iterable[str]) -> None:
        """Take videos that were found good off the list.

        A line that another process adds at the same instant may be lost: then its video fails, and is added, again.
        """
        self.read()
        good = {absolute(path) for path in paths}
        if good.isdisjoint(self._entries):
            return
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        with part.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            writer.writerows([path, *entry] for path, entry in self._entries.items() if path not in good)
        part.replace(self.path)

    def __len__(self) -> int:
        self.read()
        return len(self._entries)

    def read(self) -> None:
        """Take over what has been added since the last time.

        Raises:
            ValueError: the file is something else.
        """
        try:
            status = self.path.stat()
        except OSError:
            self._entries, self._read = {}, None
            return
        if self._read == (status.st_size, status.st_mtime_ns):
            return
        self._read = (status.st_size, status.st_mtime_ns)
        self._entries = {}
        try:
            text = self.path.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise Mistake(
                f"cannot read quarantine={self.path} ({error}); give the file that an earlier run wrote, or a new name"
            ) from error
        whole = text[: text.rfind("\n") + 1]  # another process may be writing the last line
        for row in csv.reader(io.StringIO(whole, newline="")):  # names may hold line breaks
            if row and tuple(row) != COLUMNS:  # the head stands twice where two processes began the list
                try:
                    path, reason, size, modified = row
                    self._entries[path] = _Entry(reason, int(size), int(modified))
                except ValueError:
                    raise Mistake(
                        f"{self.path}: {','.join(row)!r} is no line of a quarantine list ({','.join(COLUMNS)}); "
                        "give the file that an earlier run wrote, or a new name"
                    ) from None


def _identity(path: str) -> tuple[int, int]:
    """Size and time of writing, of a folder of pictures too; -1 for a file that is gone, or a URL."""
    status = status_of(path)
    return (-1, -1) if status is None else (status.st_size, status.st_mtime_ns)
