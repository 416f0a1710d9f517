"""Pictures beside a result, which must not be lost with them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytorch_lightning.utilities.rank_zero import rank_zero_warn

from vidattn.plots import fonts

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_picture(draw: "Callable[[], Figure]", file: Path) -> bool:
    """Draw and save a picture; a warning where that fails, whatever the reason. Whether it was written."""
    try:
        fonts.save(draw(), file, dpi=120)
    except Exception as error:  # matplotlib fails in every way on names, fonts and disks that it does not know
        rank_zero_warn(
            f"{file} could not be drawn ({type(error).__name__}: {error}); the scorecard is complete without"
        )
        return False
    return True
