"""What every kind of small linear layer is: weights in few bits beside the floats that belong to them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor, nn

from vidattn.attention.parts import QueryValueBias
from vidattn.quantization.int8_product import how_int8, int8_product, pack


class Range(NamedTuple):
    """Between which numbers the values lie that a layer is given.

    Args:
        low: at most 0.
        high: at least 0.
    """

    low: float
    high: float


class QuantizedLinear(nn.Module, ABC):
    """A linear layer whose weights are kept in few bits: buffers, so nothing of it is trained.

    Casting a network to another type leaves weights and their scales as they are; `forward` answers in the type of
    what it is given.

    Args:
        in_features: width of what comes in.
        out_features: width of what goes out.
        bias: whether something is added at the end.

    Attributes:
        needs_ranges: whether `of` wants to know what the layer will be given, as calibration finds it.
        needs_torchao: whether making one takes torchao; running it never does.
        products_in_e4m3: whether attention is to weigh its values in e4m3, see `vidattn.quantization.e4m3_products`.
        not_exported: why a graph of such layers is not written to a file; empty where it is.
    """

    needs_ranges: ClassVar[bool] = False
    needs_torchao: ClassVar[bool] = False
    products_in_e4m3: ClassVar[bool] = False
    not_exported: ClassVar[str] = ""
    bias: Tensor | None

    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.register_buffer("bias", torch.zeros(out_features) if bias else None)

    @classmethod
    def of(cls, layer: nn.Linear | QueryValueBias, values: Range | None = None) -> Self:
        """The small form of a layer.

        Args:
            layer: weights `(out, in)`, finite.
            values: what it will be given, for kinds that need to know.
        """
        weight, bias = layer.weight.detach().float(), layer.bias
        made = cls(weight.shape[1], weight.shape[0], bias is not None).to(weight.device)
        made.fill(weight, values)
        if bias is not None and made.bias is not None:
            made.bias.copy_(bias.detach())
        return made

    @abstractmethod
    def fill(self, weight: Tensor, values: Range | None) -> None:
        """Round weights `(out, in)` into the buffers."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """`(..., in)` -> `(..., out)`, of the same type."""

    @classmethod
    @abstractmethod
    def how(cls, device: torch.device) -> str:
        """How it is worked out on a device, in words that begin with "computed" or "simulated"."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        before = {name: value for name, value in self.named_buffers() if name != "bias"}
        super()._apply(fn, recurse)
        for name, value in before.items():
            now = getattr(self, name)
            if now.dtype != value.dtype:
                setattr(self, name, value.to(now.device))
        return self

    def extra_repr(self) -> str:
        """Sizes, as those of `nn.Linear`."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class PackedInt8(QuantizedLinear, ABC):
    """One whose product is of 8 bits, with weights laid out once for the kernel; a file never holds that layout.

    Attributes:
        codes: int8 `(out, in)`.
        scale: float32 `(out,)`; a weight is its code times that of its row.
    """

    codes: Tensor
    scale: Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:
        super().__init__(in_features, out_features, bias)
        self.register_buffer("codes", torch.zeros(out_features, in_features, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(out_features))
        self._packed: Any = None

    def product(self, x: Tensor, zero: int, step: Tensor | float) -> Tensor:
        """`(x - zero) * step`, rounded activations `(M, in)` as `int8_product` takes them -> float32 `(M, out)`."""
        if self._packed is None:
            self._packed = pack(self.codes)
        found = int8_product(x, zero, self.codes, self.scale, self._packed).mul_(step)
        return found if self.bias is None else found.add_(self.bias)

    @classmethod
    def how(cls, device: torch.device) -> str:
        """How it is worked out on a device."""
        return how_int8(device)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self._packed = None
        return super()._apply(fn, recurse)

    def _load_from_state_dict(self, *args: Any) -> None:
        self._packed = None
        super()._load_from_state_dict(*args)

    def __getstate__(self) -> dict[str, Any]:
        """Without the kernel's layout, which nothing can copy."""
        return {**self.__dict__, "_packed": None}
