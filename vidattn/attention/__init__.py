"""Attention schemes as small residual steps, one idea per file."""
