"""A folder with one folder of videos per class, or a flat folder of videos."""

import os
from pathlib import Path

from vidattn.data.lists.picture_folder import holds_pictures, without_stills
from vidattn.data.lists.row import (
    VIDEO_EXTENSIONS,
    Listing,
    ManifestError,
    Row,
    endings_below,
    is_hidden,
    is_video,
    leads_back,
    videos_below,
)

_SPLITS = {"train", "val", "test"}


def read(folder: Path) -> Listing:
    """Every video, class by class in the order of the sorted names; without labels where the folder is flat.

    Each folder is a class, also one without videos, and what lies deeper belongs to it: as in torchvision's
    `DatasetFolder`, but names that are all numbers stand in the order of the numbers. Where there are no videos, a
    folder of pictures within a class is one, and a folder that holds pictures itself is one without a label.
    """
    entries = sorted(path for path in folder.iterdir() if not is_hidden(path.name))
    files = [path.name for path in entries if is_video(path) and path.is_file()]
    flat = [folder / name for name in without_stills(folder, files)]
    if not flat and holds_pictures(folder):
        return Listing([Row(str(folder), str(folder))])  # the frames of one video
    names = [path.name for path in entries if path.is_dir() and not leads_back(path, [os.path.realpath(folder)])]
    if all(name.isdecimal() for name in names):
        names.sort(key=int)
    rows = [Row(file, file, (name,)) for name in names for file in videos_below(folder / name)]
    if not flat and not rows:
        rows = [Row(clip, clip, (name,)) for name in names for clip in _clips_of_pictures(folder / name)]
        _check_depth(folder, names, bool(rows))
    elif rows:
        _check_mixture(folder, rows, names)
    if flat and rows:
        raise ManifestError(
            f"{folder} holds videos ({flat[0].name}) beside folders of videos ({rows[0].labels[0]}); "
            "expected either one folder per class or a flat folder: move one of them, or write a list"
        )
    if not flat and not rows and any(folder.glob("*.tar")):
        raise ManifestError(f"{folder} holds shards; give {folder}/shards.json, or {folder}/*.tar where there is none")
    if not flat and not rows:
        raise ManifestError(
            f"{folder} holds no videos, neither directly nor in one folder per class ({endings_below(folder)}); "
            f"give the folder that holds "
            f"the class folders, and files that end in {', '.join(VIDEO_EXTENSIONS)}, or folders of pictures "
            "(class/clip/img_00001.jpg)"
        )
    if rows and _SPLITS.issuperset(names):
        raise ManifestError(f"{folder} holds splits ({', '.join(names)}), not classes; give one: {folder / names[0]}")
    return Listing(rows, names) if rows else Listing([Row(str(file), str(file)) for file in flat])


def _clips_of_pictures(folder: Path) -> list[str]:
    """The folders of pictures below, sorted, those within one another left out."""
    found = []
    for path in sorted(path for path in folder.iterdir() if path.is_dir() and not is_hidden(path.name)):
        if holds_pictures(path):
            found.append(str(path))
        elif not leads_back(path, [os.path.realpath(folder)]):
            found += _clips_of_pictures(path)
    return found


def _check_mixture(folder: Path, rows: list[Row], names: list[str]) -> None:
    """Frames beside the videos that they come from are common, a class of frames alone is one that would be lost."""
    with_videos = {row.labels[0] for row in rows}
    for name in names:
        if name not in with_videos and (clips := _clips_of_pictures(folder / name)):
            raise ManifestError(
                f"{folder} holds videos ({rows[0].path}) and a class of pictures alone ({clips[0]}); expected videos "
                "or folders of pictures in all classes, or a list, which may name both: `path label` in each row"
            )


def _check_depth(folder: Path, names: list[str], has_clips: bool) -> None:
    """Pictures one level too high would be classes of still images, or clips without a class: nothing tells which."""
    direct = [name for name in names if holds_pictures(folder / name)]
    if direct:
        beside = ", beside others with folders of pictures" if has_clips else ""
        raise ManifestError(
            f"{folder} holds folders of pictures ({direct[0]}){beside}; expected {folder}/CLASS/CLIP/img_00001.jpg, or "
            "a list: `frame_dir label` in each row, or `frame_dir` alone"
        )
