"""Weights from anywhere: one table of names per source."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.checkpoints.loading import load as load, load_weights as load_weights
    from vidattn.checkpoints.pretrained import Pretrained as Pretrained
    from vidattn.checkpoints.renaming import WeightsError as WeightsError

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.checkpoints.loading": ["load", "load_weights"],
        "vidattn.checkpoints.renaming": ["WeightsError"],
        "vidattn.checkpoints.pretrained": ["Pretrained"],
    },
)
