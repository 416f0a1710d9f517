"""Sets that are drawn by formula."""
