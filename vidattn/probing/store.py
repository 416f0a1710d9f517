"""Features on disk: computed once for each video, by whatever network and views, and read without being loaded.

A folder holds a store for each network and way of looking, `<key>/about.json` with what made the features, and beside
it `part-<n>.safetensors`: rows of some videos, and in the metadata which. A part is written whole or not at all, so
that work that is broken off goes on where it was.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vidattn.checks import check_positive
from vidattn.data.videos.identity import absolute, identity
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake
from vidattn.writable import make_folder, put_in_place


class FeatureStore:
    """The features of many videos, by one network and one way of looking at them.

    Videos are known by their path, their segment, and the size and time of the file: one that was changed counts as
    another. Used as a context, it writes what is left when it ends, also where that is by an error or Ctrl-C.

    Args:
        folder: holds stores of any number of networks.
        about: what decides the features, as plain values: see `fingerprint` for the network itself.
        part_bytes: a part is written when so much is there.

    Raises:
        ValueError: the folder cannot be made, or a part of it is damaged.
    """

    def __init__(self, folder: str | Path, about: Mapping[str, Any], part_bytes: int = 64 << 20) -> None:
        check_positive(part_bytes=part_bytes)
        self.about = json.loads(json.dumps(about))
        key = hashlib.sha256(json.dumps(self.about, sort_keys=True).encode()).hexdigest()[:16]
        self.folder = Path(folder) / key
        self.part_bytes = part_bytes
        self._places: dict[str, tuple[Path, int, int]] = {}  # video -> its part, its first row, and how many
        self._maps: dict[Path, Tensor] = {}
        self._waiting: list[tuple[str, Tensor]] = []
        make_folder(self.folder)
        if not (file := self.folder / "about.json").exists():
            with put_in_place(file) as part:
                part.write_text(json.dumps(self.about, indent=2, sort_keys=True) + "\n")
        for part in sorted(self.folder.glob("part-*.safetensors")):
            self._list(part)

    def __contains__(self, video: Video) -> bool:
        return key_of(video) in self._places

    def __len__(self) -> int:
        return len(self._places)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.flush()

    def add(self, video: Video, rows: Tensor) -> None:
        """Keep the features of a video, a row for each of its views: `(V, ...)`, of one shape for all videos."""
        self._waiting.append((key_of(video), rows.detach().cpu().contiguous()))
        if sum(rows.nbytes for _, rows in self._waiting) >= self.part_bytes:
            self.flush()

    def flush(self) -> None:
        """Write what was added since the last part.

        Raises:
            OSError: it cannot be written.
        """
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        listed = json.dumps([[video, len(rows)] for video, rows in waiting])
        number = 1 + max(
            (int(part.stem.removeprefix("part-")) for part in self.folder.glob("part-*.safetensors")), default=-1
        )
        part = self.folder / f"part-{number:05d}.safetensors"
        with put_in_place(part) as fresh:
            save_file({"features": torch.cat([rows for _, rows in waiting])}, fresh, {"videos": listed})
        self._list(part)

    def rows(self, video: Video) -> Tensor:
        """The features of a video, `(V, ...)`: a view of the file, of which no more is read than is used.

        Raises:
            KeyError: the store has none of it.
        """
        part, first, count = self._places[key_of(video)]
        if part not in self._maps:
            self._maps[part] = safe_open(part, "pt").get_tensor("features")
        return self._maps[part][first : first + count]

    def _list(self, part: Path) -> None:
        """Note where the videos of a part are."""
        try:
            with safe_open(part, "pt") as file:
                listed = json.loads(file.metadata()["videos"])
                total = file.get_slice("features").get_shape()[0]
        except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
            raise Mistake(
                f"{part}: no features of ours can be read from it ({error}); delete it, and they are computed again"
            ) from error
        first = 0
        for video, count in listed:
            self._places[video] = part, first, count
            first += count
        if first != total:
            raise Mistake(f"{part}: lists {first} views and holds {total}; delete it, and they are computed again")


def key_of(video: Video) -> str:
    """What a video is known by in a store."""
    return json.dumps([absolute(video.path), identity(video.path), *video.segment])


def fingerprint(network: nn.Module, leave_out: tuple[str, ...] = ()) -> str:
    """A digest of all weights: networks of the same classes differ in it as soon as one number does.

    Args:
        leave_out: beginnings of names of weights that do not count.
    """
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        if name.startswith(leave_out):
            continue
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
