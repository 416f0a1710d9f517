"""Warnings of the libraries that a user of ours can do nothing about."""

import warnings

MESSAGES = (
    ".*LeafSpec.*",
    "Total length of `list` across ranks is zero.*",  # no data.val
    "The dirpath has changed from.*",  # another run's folder: as meant
    ".*does not have many workers.*",
    ".*is smaller than the logging interval.*",
    ".*WeightAveraging callback, but loading a checkpoint outside.*",
    ".*callbacks used to create the checkpoint need to be provided.*",
    ".*args parameter is intended to run from within Python.*",
    ".*callback with a model that overrides the configure_model.*",
)


def quiet() -> None:
    """Leave them out."""
    for message in MESSAGES:
        warnings.filterwarnings("ignore", message=message)
