"""Pickles that hold nothing but plain values and arrays: reading one runs no code of its own."""

import io
import pickle
from pathlib import Path
from typing import Any

from vidattn.data.lists.row import ManifestError

_ARRAYS = {
    (f"numpy{core}", name)
    for core in ("", ".core.multiarray", "._core.multiarray")
    for name in ("ndarray", "dtype", "_reconstruct", "scalar")
}
_ALLOWED = _ARRAYS | {("collections", "OrderedDict"), ("_codecs", "encode")}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def read_plain_pickle(path: Path) -> Any:
    """What the file holds: numbers, text, lists, dicts and numpy arrays. Text of Python 2 is read as Latin-1.

    Raises:
        ManifestError: it holds anything else (which is not run), or is no pickle.
    """
    try:
        return _PlainUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except Exception as error:  # a damaged pickle fails in every way
        raise ManifestError(
            f"{path} is no pickle of plain values and arrays ({error}); nothing in it was run. Download it again, or "
            "write its boxes as a table `path,frame,x1,y1,x2,y2,label,person`"
        ) from error
