"""Suggestions for a path that names no checkpoint."""

from pathlib import Path

from vidattn.wording import nearest_word

WEIGHT_FILES = {".bin", ".ckpt", ".pt", ".pth", ".pyth", ".safetensors"}


def nearest_path(path: Path) -> Path | None:
    """The file or folder whose name is most like that of `path`, in each of its folders; None where none is."""
    if path.exists():
        return path
    folder = nearest_path(path.parent) if path.parent != path else None
    if folder is None or not folder.is_dir():
        return None
    near = nearest_word(path.name, entries_of(folder))
    return folder / near if near else None


def checkpoints_in(folder: Path) -> list[Path]:
    """What to load instead of a folder that is none: weights in it or in `checkpoints`, else its runs and models."""
    inside = [folder / name for name in entries_of(folder)]
    files = [*inside, *(folder / "checkpoints" / name for name in entries_of(folder / "checkpoints"))]
    weights = [path for path in files if path.suffix in WEIGHT_FILES and path.is_file()]
    return weights or [
        path for path in inside if (path / "checkpoints" / "best.ckpt").is_file() or (path / "config.json").is_file()
    ]


def entries_of(folder: Path) -> list[str]:
    """Names in a folder, in order; none where it cannot be read."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
