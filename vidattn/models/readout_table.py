"""Read-outs by name."""

from vidattn.attention.imported import named
from vidattn.mistakes import Mistake
from vidattn.models.attentive_probe import AttentiveProbe
from vidattn.models.hidden_mean import HiddenMean
from vidattn.models.query_pooling import QueryPooling
from vidattn.models.readout import (
    AttentivePooling,
    ClassToken,
    MeanOfNormed,
    MeanPooling,
    ReadOut,
    RegisterTokens,
)

READOUTS: dict[str, type[ReadOut]] = {
    "class_token": ClassToken,
    "registers": RegisterTokens,
    "mean": MeanPooling,
    "normed_mean": MeanOfNormed,
    "hidden_mean": HiddenMean,
    "attentive": AttentivePooling,
    "attentive_probe": AttentiveProbe,
    "query": QueryPooling,
}
"""Read-outs by the name that a configuration gives."""


def readout_named(name: str) -> type[ReadOut]:
    """The read-out of this name, or at this import path: `my_package.MyReadOut`, a `ReadOut`.

    Raises:
        ValueError: there is none.
    """
    cls = named(name, READOUTS, "pooling")
    if not (isinstance(cls, type) and issubclass(cls, ReadOut)):
        raise Mistake(f"pooling={name!r} is no ReadOut (vidattn.models.readout)")
    return cls
