"""Networks assembled from attention steps."""
