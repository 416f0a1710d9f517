"""Small networks: weights in few bits, and products of few bits where a processor has them."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.quantization.layer import QuantizedLinear as QuantizedLinear, Range as Range
    from vidattn.quantization.ranges import measured_ranges as measured_ranges
    from vidattn.quantization.recipe import (
        Quantization as Quantization,
        chosen_layers as chosen_layers,
        quantize as quantize,
    )

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.quantization.layer": ["QuantizedLinear", "Range"],
        "vidattn.quantization.ranges": ["measured_ranges"],
        "vidattn.quantization.recipe": ["Quantization", "chosen_layers", "quantize"],
    },
)
