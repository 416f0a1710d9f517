"""What the libraries say that a user of ours can do nothing about."""

import logging
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
"""Warnings, by their words."""

LIGHTNING = "pytorch_lightning.utilities.rank_zero"
"""The logger through which Lightning speaks in the first process."""


def quiet() -> None:
    """Leave out such warnings, and Lightning's advertisements."""
    for message in MESSAGES:
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger(LIGHTNING).addFilter(is_no_advertisement)


def is_no_advertisement(record: logging.LogRecord) -> bool:
    """Whether what Lightning says is more than a tip to install another product of its makers (litlogger, litmodels).

    >>> said = "💡 Tip: For seamless cloud uploads and versioning, try installing [litmodels](https://pypi.org/...)"
    >>> [is_no_advertisement(logging.makeLogRecord({"msg": text})) for text in (said, "GPU available: False")]
    [False, True]
    """
    return not record.getMessage().startswith("💡 Tip: For seamless cloud")
