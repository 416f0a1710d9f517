"""Attention for video understanding."""
