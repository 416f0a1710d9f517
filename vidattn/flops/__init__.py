"""Counting and comparing costs."""

from vidattn.flops.comparison import compare, crossovers
from vidattn.flops.count import count
from vidattn.flops.measure import measure

__all__ = ["compare", "count", "crossovers", "measure"]
