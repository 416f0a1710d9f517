"""Counting what networks cost."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.flops.counting import BlockCount as BlockCount, Count as Count, count as count
    from vidattn.flops.measuring import Measured as Measured, measure as measure

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.flops.counting": ["BlockCount", "Count", "count"],
        "vidattn.flops.measuring": ["Measured", "measure"],
    },
)
