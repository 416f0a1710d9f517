"""Counting and comparing costs."""

from vidattn.flops.comparison import compare, crossovers
from vidattn.flops.count import count

__all__ = ["compare", "count", "crossovers"]
