"""`vidattn check`: what is wrong with a dataset, before the training finds out."""
