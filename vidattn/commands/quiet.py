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

SAID = (
    "💡 Tip: For seamless cloud",  # advertisements: to install litlogger, litmodels
    "The following callbacks returned in `LightningModule.configure_callbacks` will override",  # as meant
)
"""What Lightning says beside warnings, by how it begins."""

LIGHTNING = "pytorch_lightning.utilities.rank_zero"
"""The logger through which it says so."""


def quiet() -> None:
    """Leave them out."""
    for message in MESSAGES:
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger(LIGHTNING).addFilter(is_for_users)


def is_for_users(record: logging.LogRecord) -> bool:
    """Whether what Lightning says is none of `SAID`.

    >>> said = "💡 Tip: For seamless cloud uploads and versioning, try installing [litmodels](https://pypi.org/...)"
    >>> [is_for_users(logging.makeLogRecord({"msg": text})) for text in (said, "GPU available: False")]
    [False, True]
    """
    return not record.getMessage().startswith(SAID)
