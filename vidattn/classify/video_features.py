"""One vector of each of many videos: as arrays, as a table and as a file."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from vidattn.mistakes import MissingLibraryError, Mistake
from vidattn.wording import counted
from vidattn.writable import make_folder, put_in_place

if TYPE_CHECKING:
    from pandas import DataFrame

ENDINGS = (".npz", ".safetensors", ".csv")
"""Of the files that vectors are written to."""


class VideoVector(NamedTuple):
    """A video and its vector.

    Args:
        path: the file, "<bytes>" or "<array>".
        vector: float32 `(D,)`.
    """

    path: str
    vector: np.ndarray


@dataclass(frozen=True, eq=False)
class VideoFeatures:
    """The vectors of several videos, in their order, and the files that could not be read.

    Args:
        paths: of the N videos that could be read.
        vectors: float32 `(N, D)`, a row for each.
        skipped: file and reason of each that could not.
    """

    paths: Sequence[str]
    vectors: np.ndarray
    skipped: Sequence[tuple[str, str]] = ()

    @classmethod
    def of(cls, rows: Sequence[VideoVector], skipped: Sequence[tuple[str, str]] = ()) -> "VideoFeatures":
        """Those of single videos together; `(0, 0)` of none."""
        vectors = np.stack([row.vector for row in rows]) if rows else np.zeros((0, 0), np.float32)
        return cls([row.path for row in rows], vectors, list(skipped))

    def __len__(self) -> int:
        return len(self.paths)

    def __repr__(self) -> str:
        width = self.vectors.shape[1]
        return f"<VideoFeatures of {counted(len(self), 'video')}, {width} numbers each, {len(self.skipped)} skipped>"

    def to_dataframe(self) -> "DataFrame":
        """A pandas row for each video: path, feature_0, feature_1, ... (needs pandas)."""
        try:
            import pandas
        except ImportError as error:
            raise MissingLibraryError("to_dataframe needs pandas: pip install pandas (or use vectors)") from error
        table = pandas.DataFrame(self.vectors, columns=self._columns())
        table.insert(0, "path", list(self.paths))
        return table

    def save(self, file: str | Path) -> None:
        """Write `.npz` (arrays `paths` and `features`), `.safetensors` (tensor `features`, and `paths` as JSON in its
        metadata) or `.csv` (path, feature_0, ...). A file of this name stays as it is until the new one is complete.

        Raises:
            ValueError: the ending is none of these, or the folder cannot be made.
            OSError: it cannot be written.
        """
        file = Path(file)
        check_ending(file)
        make_folder(file.parent)
        with put_in_place(file) as part:
            if file.suffix == ".npz":
                with part.open("wb") as stream:  # to a name numpy would add the ending once more
                    np.savez(stream, paths=np.array(self.paths, dtype=np.str_), features=self.vectors)
            elif file.suffix == ".safetensors":
                save_file({"features": self.vectors}, part, {"paths": json.dumps(list(self.paths))})
            else:
                self._write_csv(part)

    @classmethod
    def load(cls, file: str | Path) -> "VideoFeatures":
        """What `save` has written.

        Raises:
            ValueError: the file's ending is none of `save`'s.
            OSError: it cannot be read.
        """
        file = Path(file)
        check_ending(file)
        if file.suffix == ".npz":
            with np.load(file) as arrays:
                return cls(arrays["paths"].tolist(), arrays["features"])
        if file.suffix == ".safetensors":
            with safe_open(file, "numpy") as tensors:
                return cls(json.loads(tensors.metadata()["paths"]), tensors.get_tensor("features"))
        with file.open(newline="", encoding="utf-8") as stream:
            (_, *_), *rows = csv.reader(stream)
        return cls([path for path, *_ in rows], np.array([row for _, *row in rows], np.float32))

    def _write_csv(self, file: Path) -> None:
        with file.open("w", newline="", encoding="utf-8", errors="backslashreplace") as stream:
            writer = csv.writer(stream)
            writer.writerow(["path", *self._columns()])
            for path, vector in zip(self.paths, self.vectors, strict=True):
                writer.writerow([path, *(f"{number:.9g}" for number in vector)])  # nine digits are all of float32

    def _columns(self) -> list[str]:
        return [f"feature_{index}" for index in range(self.vectors.shape[1])]


def check_ending(file: Path) -> None:
    """
    Raises:
        ValueError: nothing is written to files of this ending.
    """
    if file.suffix not in ENDINGS:
        raise Mistake(f"{file}: features are written as {', '.join(ENDINGS)}; choose one of these endings")
