"""Counting and comparing costs."""
