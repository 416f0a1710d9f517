"""What a frozen network knows: its features of every view, kept on disk, and probes that are trained on them."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.probing.attentive import AttentiveProbes as AttentiveProbes
    from vidattn.probing.linear import LinearProbes as LinearProbes, Setting as Setting
    from vidattn.probing.neighbours import Neighbours as Neighbours
    from vidattn.probing.protocol import Outcome as Outcome, evaluate as evaluate
    from vidattn.probing.rows import LabelledRows as LabelledRows
    from vidattn.probing.store import FeatureStore as FeatureStore

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.probing.attentive": ["AttentiveProbes"],
        "vidattn.probing.linear": ["LinearProbes", "Setting"],
        "vidattn.probing.neighbours": ["Neighbours"],
        "vidattn.probing.protocol": ["Outcome", "evaluate"],
        "vidattn.probing.rows": ["LabelledRows"],
        "vidattn.probing.store": ["FeatureStore"],
    },
)
