"""From an open video to a batch: which frames, which pixels, in which order."""
