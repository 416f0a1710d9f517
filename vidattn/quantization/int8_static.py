"""Static int8: the range of what each layer is given was measured on clips of the user's."""

import torch
from torch import Tensor

from vidattn.quantization.int8_product import SMALLEST, levels
from vidattn.quantization.layer import PackedInt8, Range
from vidattn.quantization.rounding import int8_rows


class Int8Static(PackedInt8):
    """Both sides of the product have 8 bits; what comes in has one scale and one zero, measured beforehand.

    https://arxiv.org/abs/1712.05877, section 2.1. What lies outside the range is cut off. Softmax, norms and
    activations stay in floating point.

    Args:
        in_features: width of what comes in.
        out_features: width of what goes out.
        bias: whether something is added at the end.

    Attributes:
        values: the lowest and the highest value, `(2,)`.
    """

    needs_ranges = True
    needs_torchao = True
    not_exported = (
        "its kernel is one that no file of a graph knows; take int8-weights, or export the checkpoint that it was made "
        "of to ONNX and let onnxruntime.quantization.quantize_static round that"
    )
    values: Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:
        super().__init__(in_features, out_features, bias)
        self.register_buffer("values", torch.tensor([0.0, 1.0]))

    def fill(self, weight: Tensor, values: Range | None) -> None:
        """Round weights `(out, in)` into the buffers."""
        assert values is not None
        self.codes, self.scale = int8_rows(weight)
        self.values.copy_(torch.tensor(values))

    def forward(self, x: Tensor) -> Tensor:
        """`(..., in)` -> `(..., out)`."""
        most = 2 * levels(x.device) + 1
        low, high = self.values.tolist()
        step = max((high - low) / most, SMALLEST)
        zero = min(max(round(-low / step), 0), most)
        rows = x.reshape(-1, self.in_features).float()
        codes = (rows / step).round_().add_(zero).clamp_(0, most).to(torch.uint8)
        return self.product(codes, zero, step).view(*x.shape[:-1], -1).to(x.dtype)
