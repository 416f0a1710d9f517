"""A training that a command makes for its user, in a folder of its own: it goes on where it was broken off."""

import json
import traceback
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import yaml

from vidattn.commands.trainer import TrainerCLI
from vidattn.data.flat_keys import nested
from vidattn.mistakes import Mistake
from vidattn.old_names import renewed


@dataclass(frozen=True)
class TrainingFolder:
    """The folder of one training of `vidattn fit`: `config.yaml`, `log.txt`, a `run_<n>` for each try, and
    `result.json` once it has come to its end.

    Args:
        folder: where all of it goes.
        values: the complete configuration for `vidattn fit`.
    """

    folder: Path
    values: dict[str, Any]

    @property
    def result(self) -> dict[str, Any] | None:
        """What `finish` has left; None before."""
        path = self.folder / "result.json"
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def last_checkpoint(self) -> Path | None:
        """The newest checkpoint of a training that was broken off."""
        found = self.folder.glob("run_*/checkpoints/last.ckpt")
        return max(found, key=lambda path: path.stat().st_mtime, default=None)

    def check(self) -> None:
        """Raise unless the folder is free or holds this very training; one that failed before its first checkpoint is
        free.

        Raises:
            ValueError: it holds a training with another configuration.
        """
        begun = self.result is not None or self.last_checkpoint is not None
        if begun and nested(yaml.safe_load(renewed(self._config.read_text()))) != self.values:
            raise Mistake(f"{self.folder} holds a run with other settings; choose another --out or delete it")

    def fit(self, callback: pl.Callback, *words: str) -> Path:
        """Fit, from the last checkpoint if there is one, then test, where a test is set; the folder of this try.

        Args:
            callback: for the trainer, beside its own.
            words: further ones for `vidattn fit`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._config.write_text(yaml.safe_dump(self.values, sort_keys=False))
        words = ("fit", "--config", str(self._config), *words)
        if self.last_checkpoint:
            words += ("--ckpt_path", str(self.last_checkpoint))
        with (self.folder / "log.txt").open("a") as log, redirect_stdout(log), redirect_stderr(log):
            try:
                TrainerCLI(list(words), [callback])
            except Exception:
                traceback.print_exc()  # into the log
                raise
        return max(self.folder.glob("run_*"), key=lambda path: path.stat().st_mtime)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Say that the training is done, and what came of it."""
        fresh = self.folder / "result.json.part"  # renamed when complete, so that a result that is there is whole
        fresh.write_text(json.dumps(result, indent=2) + "\n")
        fresh.rename(self.folder / "result.json")

    @property
    def _config(self) -> Path:
        return self.folder / "config.yaml"


def scorecard(run: Path) -> dict[str, Any]:
    """What the test of a run has left; nothing where there was none."""
    card = run / "scorecard.json"
    return json.loads(card.read_text()) if card.exists() else {}
