"""Weights rounded to few bits, by torchao."""

import importlib
import logging
from typing import Any

import torch
from torch import Tensor

from vidattn.mistakes import MissingLibraryError
from vidattn.quantization.int8_product import SMALLEST


def torchao() -> Any:
    """torchao's own rounding.

    Raises:
        ValueError: it does not load.
    """
    logger = logging.getLogger("torch.utils._pytree")  # torch warns of how this torchao registers its enums
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        return importlib.import_module("torchao.quantization.quant_primitives")
    except ImportError as error:
        raise MissingLibraryError(
            f'rounding weights to integers needs torchao ({error}): python -m pip install "vidattn[export]"; what was '
            "written runs without it, and fp8 needs nothing more"
        ) from error
    finally:
        logger.setLevel(before)


def int8_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """int8 `(N, K)` and float32 `(N,)`: each row of weights `(N, K)` by its largest, symmetric.

    Raises:
        ValueError: torchao is missing.
    """
    ao, block = torchao(), (1, weight.shape[1])
    bounds: dict[str, Any] = {"quant_min": -127, "quant_max": 127}
    scale, zero = ao.choose_qparams_affine(
        weight, ao.MappingType.SYMMETRIC, block, torch.int8, **bounds, eps=SMALLEST, scale_dtype=torch.float32
    )
    codes = ao.quantize_affine(weight, block, scale, zero, torch.int8, **bounds)
    return codes, scale.flatten()


def int4_groups(weight: Tensor, group: int) -> tuple[Tensor, Tensor, Tensor]:
    """uint8 `(N, K)` from 0 to 15, float32 and uint8 `(N, K / group)`: scale, and which of the 16 means 0.

    Raises:
        ValueError: torchao is missing.
    """
    ao, block = torchao(), (1, group)
    bounds: dict[str, Any] = {"quant_min": 0, "quant_max": 15}
    scale, zero = ao.choose_qparams_affine(
        weight, ao.MappingType.ASYMMETRIC, block, torch.uint8, **bounds, eps=SMALLEST, scale_dtype=torch.float32
    )
    codes = ao.quantize_affine(weight, block, scale, zero, torch.uint8, **bounds)
    return codes, scale.view(len(weight), -1), zero.view(len(weight), -1).to(torch.uint8)
