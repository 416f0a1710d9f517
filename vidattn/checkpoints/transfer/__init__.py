"""Weights carried into a network of another scheme, length or size."""
