"""Plain values that people save beside weights, which the reader of checkpoints may make: none of them runs code."""

import argparse
import pathlib
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct, scalar

_NUMBERS = "?bhilqBHILQefd"
"""Characters of numpy's bool, whole numbers and floats."""

PLAIN: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    argparse.Namespace,
    types.SimpleNamespace,
    np.ndarray,
    np.dtype,
    *{type(np.dtype(kind)) for kind in _NUMBERS},
    # By the names of numpy 1 and of numpy 2.
    *(
        (made, f"numpy.{core}.multiarray.{made.__name__}")
        for core in ("core", "_core")
        for made in (_reconstruct, scalar)
    ),
    # Paths of any system, without touching files.
    *(
        (pathlib.PurePosixPath, f"pathlib.{name}")
        for name in ("PosixPath", "PurePosixPath", "_local.PosixPath", "_local.PurePosixPath")
    ),
    *(
        (pathlib.PureWindowsPath, f"pathlib.{name}")
        for name in ("WindowsPath", "PureWindowsPath", "_local.WindowsPath", "_local.PureWindowsPath")
    ),
]
"""Options, numbers and arrays of numpy's, and paths."""
