"""Loggers of a run that goes on where they cannot write: a full disk costs curves, not the training."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from pytorch_lightning.utilities.rank_zero import rank_zero_warn


class RunCSV(CSVLogger):
    """Lightning's CSV, without an end at the first number that it cannot write."""

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """As Lightning's."""
        with _going_on(self.log_dir):
            super().log_hyperparams(*args, **kwargs)

    def log_metrics(self, *args: Any, **kwargs: Any) -> None:
        """As Lightning's."""
        with _going_on(self.log_dir):
            super().log_metrics(*args, **kwargs)

    def save(self) -> None:
        """As Lightning's."""
        with _going_on(self.log_dir):
            super().save()

    def finalize(self, status: str) -> None:
        """As Lightning's."""
        with _going_on(self.log_dir):
            super().finalize(status)


class RunEvents(TensorBoardLogger):
    """Lightning's TensorBoard, likewise."""

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """As Lightning's."""
        with _going_on(self.log_dir):
            super().log_hyperparams(*args, **kwargs)

    def log_metrics(self, *args: Any, **kwargs: Any) -> None:
        """As Lightning's."""
        with _going_on(self.log_dir):
            super().log_metrics(*args, **kwargs)

    def save(self) -> None:
        """As Lightning's."""
        with _going_on(self.log_dir):
            super().save()

    def finalize(self, status: str) -> None:
        """As Lightning's."""
        with _going_on(self.log_dir):
            super().finalize(status)


_said: set[str] = set()  # folders of which it was said


@contextmanager
def _going_on(folder: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as end:
        error = end if isinstance(end, OSError) else end.__cause__  # Lightning takes it for a value of a wrong type
        if not isinstance(error, OSError):
            raise
        if folder not in _said:
            _said.add(folder)
            rank_zero_warn(
                f"{folder}: numbers cannot be logged ({error.strerror or error}); the run goes on without those"
            )
