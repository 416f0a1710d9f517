"""A folder with one folder of videos per class, or a flat folder of videos."""

from pathlib import Path

from vidattn.data.lists.row import VIDEO_EXTENSIONS, Listing, ManifestError, Row, is_video


def read(folder: Path) -> Listing:
    """Every video, class by class in the order of the sorted names; without labels where the folder is flat."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    flat = [path for path in entries if is_video(path) and path.is_file()]
    by_class = {
        path.name: sorted(file for file in path.iterdir() if is_video(file)) for path in entries if path.is_dir()
    }
    rows = [Row(str(file), str(file), (name,)) for name, files in by_class.items() for file in files]
    if flat and rows:
        raise ManifestError(
            f"{folder} holds videos ({flat[0].name}) beside folders of videos ({rows[0].labels[0]}); "
            "expected either one folder per class or a flat folder: move one of them, or write a list"
        )
    if not flat and not rows:
        raise ManifestError(
            f"{folder} holds no videos, neither directly nor in one folder per class; give the folder that holds "
            f"the class folders, and files that end in {', '.join(VIDEO_EXTENSIONS)}"
        )
    return Listing(rows or [Row(str(file), str(file)) for file in flat])
