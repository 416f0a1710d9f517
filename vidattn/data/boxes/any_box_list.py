"""Reading any list of boxes; the kind is recognised by its content."""

from pathlib import Path

from vidattn.data.boxes import csv_list
from vidattn.data.boxes.row import BoxListing
from vidattn.data.lists.row import ManifestError
from vidattn.data.lists.text import read_text

KINDS = "a table `path,frame,x1,y1,x2,y2,label[,person]`"


def read_boxes(source: Path, root: Path | None = None) -> BoxListing:
    """The rows of a list of boxes, whatever its kind.

    Args:
        source: the list.
        root: folder that paths in it start from; the list's own folder by default.

    Raises:
        ManifestError: there is no such file, or a row is not understood.
    """
    if not source.is_file():
        hint = "" if source.is_absolute() else f"; run vidattn elsewhere than in {Path.cwd()}, or give the whole path"
        raise ManifestError(f"{source} is not a file; expected a list of boxes, {KINDS}{hint}")
    base = root if root is not None else source.parent
    text = read_text(source)
    first = text.partition("\n")[0]
    if csv_list.is_table(first):
        return csv_list.read(source, text, base)
    raise ManifestError(f"{source} begins with {first[:80]!r}; expected a list of boxes, {KINDS}")
