"""2D image attention blocks, one paper per file."""
