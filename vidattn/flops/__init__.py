"""Counting and comparing costs."""

from vidattn.flops.count import count

__all__ = ["count"]
