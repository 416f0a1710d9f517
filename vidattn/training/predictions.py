"""What `vidattn predict` leaves behind: one line per video, on screen and in a file."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from rich.console import Console
from rich.table import Table

from vidattn.data.answers import write_answers
from vidattn.training.skipped import run_folder


class PredictionWriter(pl.Callback):
    """Writes the five likeliest classes of each video, with probabilities, as CSV or JSON.

    Args:
        path: file to write, `.csv` or `.json`; `predictions.csv` in the run's folder by default. Of several processes
            the first writes the answers of all, in the order of the list.
        top: how many classes to list.

    Raises:
        ValueError: the file's ending is neither.
    """

    def __init__(self, path: str | None = None, top: int = 5) -> None:
        if path is not None and Path(path).suffix not in (".csv", ".json"):
            raise ValueError(f"predictions path {path!r} must end in .csv or .json")
        self.path = path
        self.top = top
        self.rows: list[dict[str, Any]] = []

    def on_predict_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Start an empty list.

        Raises:
            ValueError: nothing says what the classes are called, or there are more or fewer names than classes.
        """
        self.rows = []
        self.names = pl_module.class_names or trainer.datamodule.class_names  # type: ignore[attr-defined]
        count = pl_module.config.num_classes
        if len(self.names) != count:
            raise ValueError(
                f"the data has {len(self.names)} class names but num_classes={count}; set data.class_names"
            )

    def on_predict_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *_: Any) -> None:
        """Add the batch's videos."""
        for path, probabilities in zip(outputs["path"], outputs["probabilities"], strict=True):
            best = probabilities.topk(min(self.top, len(probabilities)))
            labels, values = best.indices.tolist(), best.values.tolist()
            answers = [{"class": self.names[i], "probability": value} for i, value in zip(labels, values, strict=True)]
            self.rows.append({"path": path, "top": answers})

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the file and show the table."""
        file = Path(self.path) if self.path else run_folder(trainer) / "predictions.csv"
        rows = self._of_all_processes(trainer)
        if trainer.is_global_zero:
            write_answers(file, rows, self.top)
            show_predictions(rows, file)

    def _of_all_processes(self, trainer: pl.Trainer) -> list[dict[str, Any]]:
        """In the first process the rows of all, in the order of the videos; elsewhere the process's own."""
        if trainer.world_size == 1:
            return self.rows
        gathered: list[list[dict[str, Any]]] | None = [[] for _ in range(trainer.world_size)]
        torch.distributed.gather_object(self.rows, gathered if trainer.is_global_zero else None)
        if not trainer.is_global_zero:
            return self.rows
        datamodule: Any = trainer.datamodule  # type: ignore[attr-defined]
        place = {video.path: i for i, video in enumerate(datamodule.manifest("predict").videos)}
        return sorted((row for rows in gathered or [] for row in rows), key=lambda row: place[row["path"]])


def show_predictions(rows: list[dict[str, Any]], file: Path, most: int = 20) -> None:
    """The first rows as a table on the terminal."""
    table = Table("video", "answers", title=f"{len(rows)} videos", title_justify="left")
    for row in rows[:most]:
        answers = ", ".join(f"{answer['class']} {answer['probability']:.1%}" for answer in row["top"])
        table.add_row(row["path"], answers)
    console = Console()
    console.print(table)
    console.print(f"All {len(rows)} are in {file}", highlight=False, soft_wrap=True)
