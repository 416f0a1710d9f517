"""Training video classifiers with Lightning."""
