"""Which videos there are: lists as read, splits, shards, and what a file is known by."""
