"""The folder that `vidattn prepare` fills: what list its videos are from, how they were made, and of which files."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from vidattn.data.prepare.transcode import Transcoding
from vidattn.data.videos.identity import Identity, identity
from vidattn.mistakes import Mistake

OURS = ("manifest.csv", "classes.txt")
"""What is written beside `videos/` and must not be anybody else's."""


class PreparedFolder:
    """`videos/` below a folder, with `settings.json`, and a line of `sources.jsonl` for each video that is finished.

    Both are written with the first video: a run in which none is finished leaves nothing that binds the next.

    Args:
        folder: it need not exist yet.
        data: the list or folder that the videos are from.
        transcoding: how they are made.
        folder_fps: frames per second of the folders of pictures among them; None where there are none.

    Raises:
        ValueError: the folder holds `data` or lies in it, or holds files of somebody else, or videos from elsewhere or
            made otherwise.
    """

    def __init__(self, folder: Path, data: str, transcoding: Transcoding, folder_fps: float | None = None) -> None:
        self.folder, self.videos = folder, folder / "videos"
        self._settings = {"data": os.path.abspath(os.path.expanduser(data))} | asdict(transcoding)
        if folder_fps is not None:
            self._settings["folder_fps"] = folder_fps
        self._settings_file, self._sources_file = self.videos / "settings.json", self.videos / "sources.jsonl"
        if Path(self._settings["data"]).resolve().is_relative_to(folder.resolve()):
            raise Mistake(f"{folder} holds {data} itself, which must stay as it is; give another folder to write to")
        if folder.resolve().is_relative_to(Path(self._settings["data"]).resolve()):
            raise Mistake(f"{folder} lies in {data}, where it would count as a class; give a folder outside")
        if self._settings_file.exists():
            before = {"folder_fps": 30.0}  # the default, of which settings did not always tell
            self._compare(before | json.loads(self._settings_file.read_text()))
        else:
            for name in OURS:
                if (folder / name).exists():
                    raise Mistake(
                        f"{folder / name} is there already, and vidattn prepare did not write it; give another folder"
                    )
        self._sources: dict[str, tuple[str, Identity | None]] = {}
        if self._sources_file.exists():
            for line in self._sources_file.read_text().splitlines():
                try:
                    target, source, seen = json.loads(line)
                except ValueError:
                    continue  # the last line of a run that was killed
                self._sources[target] = source, seen and tuple(seen)

    def _compare(self, before: dict[str, object]) -> None:
        changed = [name for name, value in self._settings.items() if before.get(name) != value]
        if changed:
            was, now = (
                " ".join(f"{name}={settings.get(name)}" for name in changed) for settings in (before, self._settings)
            )
            raise Mistake(
                f"{self.folder} was prepared with other settings: {was}, not {now}; give the same ones to go on, or "
                "another folder"
            )

    def refuse_sources_inside(self, paths: Iterable[str]) -> None:
        """Raises:
        ValueError: a source lies where the videos are written to, and may be overwritten.
        """
        place = f"{os.path.realpath(self.videos)}{os.sep}"
        for path in paths:
            if os.path.realpath(path).startswith(place):
                raise Mistake(f"{path} would be overwritten, or mixed with what is written; give another folder")

    def has(self, target: Path, source: str, seen: Identity | None) -> bool:
        """Whether `target` was made of `source` as it is now."""
        made_of = self._sources.get(self._name(target))
        return seen is not None and made_of == (os.path.abspath(source), seen) and target.exists()

    def add(self, target: Path, source: str, seen: Identity | None) -> None:
        """Remember that `target` is made of `source`.

        Args:
            seen: the source's `content_identity` before it was read; None, where it was gone, counts for nothing.
        """
        if not self._settings_file.exists():
            self._settings_file.write_text(json.dumps(self._settings))
        with self._sources_file.open("a") as stream:
            stream.write(json.dumps([self._name(target), os.path.abspath(source), seen]) + "\n")

    def _name(self, target: Path) -> str:
        return target.relative_to(self.videos).as_posix()


def content_identity(path: str) -> Identity | None:
    """`identity`; of a folder of pictures, the sums of theirs, which change with any of them. None where it is gone, or
    not ours to read."""
    if not os.path.isdir(path):
        return identity(path)
    try:
        with os.scandir(path) as entries:
            status = [entry.stat() for entry in entries if entry.is_file()]
    except OSError:
        return None
    return sum(one.st_size for one in status), sum(one.st_mtime_ns for one in status)
