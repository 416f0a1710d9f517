"""What is wrong with a dataset, found before the training finds out."""
