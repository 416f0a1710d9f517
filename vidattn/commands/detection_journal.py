"""What a detector has found so far in a long list of videos, on disk."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vidattn.classify.video_detections import Row, VideoDetections
from vidattn.data.videos.identity import absolute, identity
from vidattn.mistakes import Mistake
from vidattn.writable import writing


class DetectionJournal:
    """A file of answers, a line of JSON for each video, so that work that was broken off goes on where it stopped.

    An answer does not count for a video that was written anew since. Memory goes by the number of videos.

    Args:
        path: the file; it need not exist yet, but its folder must.
        made_by: what decides the answers, as plain values.

    Raises:
        Mistake: the file is of something else, or cannot be written.
    """

    def __init__(self, path: Path, made_by: Mapping[str, Any]) -> None:
        self.path = path
        self._places: dict[str, int] = {}
        head = json.dumps({"made_by": dict(made_by)}) + "\n"
        with writing(path), path.open("ab+") as file:
            file.seek(0)
            first = file.readline()
            if not first.endswith(b"\n"):  # a new file, or one of a process that was killed at once
                file.truncate(0)
                file.write(head.encode())
            elif first != head.encode():
                raise Mistake(
                    f"{path}: holds answers of other weights, or by other options; delete it, or name another file"
                )
            else:
                self._read(file)

    def _read(self, file: Any) -> None:
        """Remember where each whole line is; what a killed process left of one goes."""
        place = file.tell()
        for line in file:
            if not line.endswith(b"\n"):
                file.truncate(place)
                return
            entry = json.loads(line)
            if entry["file"] == _kept(entry["path"]):
                self._places[entry["path"]] = place
            place += len(line)

    def __contains__(self, path: str) -> bool:
        return absolute(path) in self._places

    def add(self, found: VideoDetections) -> None:
        """Write a line.

        Raises:
            Mistake: it cannot be written.
        """
        path = absolute(found.path)
        line = json.dumps({"path": path, "file": _kept(path), "video": found.to_dict()}) + "\n"
        with writing(self.path), self.path.open("ab") as file:
            self._places[path] = file.tell()
            file.write(line.encode())

    def told(self, paths: list[str]) -> Iterator[Row]:
        """The answers about those of the videos that have one, in their order, as `VideoDetections.to_dict` gives them;
        one at a time is in memory."""
        with self.path.open("rb") as file:
            for path in paths:
                if path in self:
                    file.seek(self._places[absolute(path)])
                    yield json.loads(file.readline())["video"] | {"path": path}


def _kept(path: str) -> list[int] | None:
    """The file's size and time, as JSON gives them back."""
    found = identity(path)
    return None if found is None else list(found)
