"""Class names in any script: fonts to fall back to where matplotlib's own has no such letters."""

import io
import warnings
from pathlib import Path
from typing import IO, Any

from matplotlib import rcParams
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.text import Text

FALLBACKS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "Source Han Sans", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Droid Sans Fallback", "IPAGothic", "Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo",
    "Arial Unicode MS", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic",
)  # fmt: skip
"""Fonts with Chinese, Japanese or Korean, as Linux, macOS and Windows have them; those that are installed are used."""


def as_written(figure: Figure) -> Figure:
    """The figure, its text letter by letter: in matplotlib's own font, in the installed ones of `FALLBACKS` what that
    lacks, and `$` is no formula."""
    installed = set(fontManager.get_font_names())
    families = [*rcParams["font.family"], *(name for name in FALLBACKS if name in installed)]
    for text in figure.findobj(Text):
        text.set_fontfamily(families)
        text.set_parse_math(False)
    return figure


def save(figure: Figure, file: str | Path | IO[bytes], **options: Any) -> None:
    """`figure.savefig`, without a warning for each letter that no font has: it is drawn as a box."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from")
        figure.savefig(file, **options)


def png(figure: Figure) -> bytes:
    """A PNG for a notebook or a page, by `save`."""
    file = io.BytesIO()
    save(figure, file, format="png", dpi=90)
    return file.getvalue()
