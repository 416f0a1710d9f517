"""Reading any list of boxes; the kind is recognised by its content."""

from pathlib import Path

from vidattn.data.boxes import ava, coco, csv_list, cvat, tube_pickle
from vidattn.data.boxes.row import BoxListing
from vidattn.data.lists.row import ManifestError
from vidattn.data.lists.text import read_text

KINDS = (
    "a table `path,frame,x1,y1,x2,y2,label[,person]`, AVA's CSV, a pickle of tubes as JHMDB-GT.pkl, "
    "CVAT for video 1.1, or COCO with tracks"
)


def read_boxes(
    source: Path,
    root: Path | None = None,
    label_map: str | None = None,
    excluded: str | None = None,
    starts_at: float = 0,
) -> BoxListing:
    """The rows of a list of boxes, whatever its kind.

    Args:
        source: the list.
        root: folder that paths in it start from; the list's own folder by default.
        label_map: of AVA's lists, as are the next two; see `vidattn.data.boxes.ava.read`.
        excluded: seconds that do not count.
        starts_at: the second of the list at which the files begin.

    Raises:
        ManifestError: there is no such file, or a row is not understood.
    """
    if not source.is_file():
        hint = "" if source.is_absolute() else f"; run vidattn elsewhere than in {Path.cwd()}, or give the whole path"
        raise ManifestError(f"{source} is not a file; expected a list of boxes, {KINDS}{hint}")
    base = root if root is not None else source.parent
    if source.suffix.lower() in (".pkl", ".pickle"):
        return tube_pickle.read(source)
    text = read_text(source)
    first = text.partition("\n")[0]
    if csv_list.is_table(first):
        return csv_list.read(source, text, base)
    if ava.is_ava(first):
        return ava.read(source, text, label_map, excluded, starts_at)
    if cvat.is_cvat(text):
        return cvat.read(source, text)
    if text.lstrip().startswith("{"):
        return coco.read(source, text)
    raise ManifestError(f"{source} begins with {first[:80]!r}; expected a list of boxes, {KINDS}")
