"""Weights from anywhere: one table of names per source."""
