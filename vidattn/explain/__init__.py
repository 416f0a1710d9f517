"""What an answer rests on: a look into networks, not into files."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.explain.explanation import Explanation as Explanation
    from vidattn.explain.explorer import Exploration as Exploration, explore as explore

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.explain.explanation": ["Explanation"],
        "vidattn.explain.explorer": ["Exploration", "explore"],
    },
)
