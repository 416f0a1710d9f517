"""Attention schemes by name: `"time+space"` -> the steps of a block, in the paper's own sum notation."""

import ast
import difflib
import importlib
from dataclasses import dataclass
from typing import Any

from torch import nn

from vidattn.attention.base import ImageAttention, VideoAttention
from vidattn.attention.joint import JointAttention
from vidattn.attention.per_frame import PerFrame
from vidattn.attention.spatial import SpatialAttention
from vidattn.attention.temporal import TemporalAttention

STEPS: dict[str, type[nn.Module]] = {
    "joint": JointAttention,
    "space": SpatialAttention,
    "time": TemporalAttention,
}
"""Every name that a spec may use; a full import path stands wherever a name may."""

ALIASES = {"divided": "time+space"}
"""Whole schemes that have a name of their own."""


@dataclass(frozen=True)
class Step:
    """One term of a scheme: an attention class and the arguments that the spec gives it."""

    cls: type[nn.Module]
    args: tuple[Any, ...] = ()

    def build(self, dim: int, num_heads: int) -> VideoAttention:
        """The step at width `dim`; an image block comes wrapped in `PerFrame`."""
        if issubclass(self.cls, ImageAttention):
            return PerFrame(self.cls(dim, *self.args))
        return self.cls(dim, num_heads, *self.args)  # type: ignore[return-value]


def parse_scheme(spec: str) -> tuple[Step, ...]:
    """The steps that `spec` names, in order.

    >>> [step.cls.__name__ for step in parse_scheme("time+space")]
    ['TemporalAttention', 'SpatialAttention']
    >>> parse_scheme("divided") == parse_scheme("time + space")
    True

    Args:
        spec: names joined by `+`, each with optional arguments as in `window(8,7,7)`; `ALIASES` stand for whole
            specs, and an import path such as `my_package.MyAttention` for any name.

    Raises:
        ValueError: a name is unknown (the message lists the known ones) or the spec cannot be read.
    """
    spec = ALIASES.get(spec.strip(), spec)
    try:
        tree = ast.parse(spec.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"attention={spec!r} cannot be read; write names joined by +, as in 'time+space'") from error
    return tuple(_step(term, spec) for term in _terms(tree))


def _terms(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _terms(node.left) + _terms(node.right)
    return [node]


def _step(node: ast.expr, spec: str) -> Step:
    call = node if isinstance(node, ast.Call) else ast.Call(func=node, args=[], keywords=[])
    if call.keywords or not isinstance(call.func, ast.Name | ast.Attribute):
        raise ValueError(
            f"attention={spec!r}: {ast.unparse(node)!r} is not a name with plain arguments, as window(8,7,7)"
        )
    try:
        args = tuple(ast.literal_eval(argument) for argument in call.args)
    except ValueError as error:
        raise ValueError(f"attention={spec!r}: arguments of {ast.unparse(node)!r} must be plain numbers") from error
    return Step(_lookup(ast.unparse(call.func), spec), args)


def _lookup(name: str, spec: str) -> type[nn.Module]:
    if name in STEPS:
        return STEPS[name]
    if "." in name:
        return _imported(name, spec)
    known = sorted([*STEPS, *ALIASES])
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"attention={spec!r}: unknown step {name!r}{hint} Known: {', '.join(known)}, or an import path")


def _imported(path: str, spec: str) -> type[nn.Module]:
    module, _, name = path.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"attention={spec!r}: cannot import {path!r} ({error})") from error
    if not (isinstance(cls, type) and issubclass(cls, VideoAttention | ImageAttention)):
        raise ValueError(f"attention={spec!r}: {path!r} is neither a VideoAttention nor an ImageAttention")
    return cls
