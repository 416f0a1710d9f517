"""Dynamic int8: weights per channel, activations per token."""

import torch
from torch import Tensor

from vidattn.quantization.int8_product import SMALLEST, levels
from vidattn.quantization.layer import PackedInt8, Range
from vidattn.quantization.rounding import int8_rows


class Int8(PackedInt8):
    """Both sides of the product have 8 bits: each row of weights has its scale, and so has each token as it comes.

    LLM.int8's vector-wise quantisation, https://arxiv.org/abs/2208.07339, section 2, without its outliers. A token is
    divided by its largest component first, so that one kernel with one scale does it for all of them.

    Args:
        in_features: width of what comes in.
        out_features: width of what goes out.
        bias: whether something is added at the end.
    """

    needs_torchao = True
    not_exported = (
        "it rounds activations as they come, by a kernel that no file of a graph knows; take int8-weights, or export "
        "the checkpoint that it was made of to ONNX and let onnxruntime.quantization.quantize_dynamic round that"
    )

    def fill(self, weight: Tensor, values: Range | None) -> None:
        """Round weights `(out, in)` into the buffers."""
        self.codes, self.scale = int8_rows(weight)

    def forward(self, x: Tensor) -> Tensor:
        """`(..., in)` -> `(..., out)`."""
        rows = x.reshape(-1, self.in_features).float()
        most = levels(x.device)
        step = rows.abs().amax(1, keepdim=True).clamp_min(SMALLEST) / most
        codes = (rows / step).round_().add_(most + 1).to(torch.uint8)
        return self.product(codes, most + 1, step).view(*x.shape[:-1], -1).to(x.dtype)
