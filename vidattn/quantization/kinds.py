"""The kinds of small networks, by the names that `vidattn quantize --to` knows."""

from vidattn.mistakes import Mistake
from vidattn.quantization.fp8 import Fp8
from vidattn.quantization.int4_weights import Int4Weights
from vidattn.quantization.int8 import Int8
from vidattn.quantization.int8_static import Int8Static
from vidattn.quantization.int8_weights import Int8Weights
from vidattn.quantization.layer import QuantizedLinear
from vidattn.wording import did_you_mean

KINDS: dict[str, type[QuantizedLinear]] = {
    "int8": Int8,
    "int8-static": Int8Static,
    "int8-weights": Int8Weights,
    "int4-weights": Int4Weights,
    "fp8": Fp8,
}


def kind_named(name: str) -> type[QuantizedLinear]:
    """The layer that a kind is made of.

    Raises:
        ValueError: there is no such kind.
    """
    if name not in KINDS:
        meant = did_you_mean(name, KINDS, f"; there are {', '.join(KINDS)}")
        raise Mistake(f"kind={name!r} of quantisation is unknown{meant}")
    return KINDS[name]
