"""What stands above counting and timing: schemes side by side, and matched in cost."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.comparison.comparison import compare as compare, crossovers as crossovers

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.comparison.comparison": ["compare", "crossovers"],
    },
)
