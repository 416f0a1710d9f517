"""Lists are text in UTF-8, or in UTF-16 with its mark, as spreadsheets write it."""

import codecs
from pathlib import Path

from vidattn.data.lists.row import SHOWN_ENDINGS, ManifestError


def read_text(path: Path) -> str:
    """What the file holds. Bytes that are no UTF-8 stay as they are (surrogates): names of files may have such.

    Raises:
        ManifestError: the file cannot be read, or is no text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ManifestError(
            f"{path}: cannot read it ({error.strerror}); check the path and your right to it"
        ) from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and len(data) % 2 == 0:
        text = data.decode("utf-16", errors="replace")
    else:
        text = data.decode("utf-8-sig", errors="surrogateescape")
    if "\0" in text:
        if (len(data) % 2 == 0 and not any(data[1::2])) or not any(data[::2]):
            raise ManifestError(f"{path} is text in UTF-16 without its mark; save it as UTF-8")
        raise ManifestError(f"{path} is neither text nor a file whose name ends as a video's ({SHOWN_ENDINGS})")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_readable(text: str) -> bool:
    r"""Whether all of it was text.

    >>> is_readable("café"), is_readable(b"caf\xe9".decode(errors="surrogateescape"))
    (True, False)
    """
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


def check_readable(path: Path, where: str, text: str) -> None:
    """
    Raises:
        ManifestError: part of the text, which is shown to people, was in another encoding.
    """
    if not is_readable(text):
        raise ManifestError(f"{path} is not in UTF-8 ({where}), but perhaps in Latin-1; save it as UTF-8")
