"""What answers look like on a page."""
