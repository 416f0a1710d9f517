"""Lists of videos for tests, and what was read of them."""


def files(root, *names):
    """Empty files: none is opened."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def write(path, *lines, end="\n", encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


def seen(manifest, root):
    """`(path below root, class name)` of each video."""
    names = manifest.class_names
    return [
        (video.path.removeprefix(f"{root}/"), names[video.label] if video.label is not None else None)
        for video in manifest.videos
    ]


def labels(manifest):
    """The names of the classes of each video."""
    names = manifest.class_names
    return [
        tuple(names[label] for label in (video.labels if video.label is None else (video.label,)))
        for video in manifest.videos
    ]
