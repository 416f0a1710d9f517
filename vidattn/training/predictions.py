"""What `vidattn predict` leaves behind: one line per video, on screen and in a file."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vidattn.answers import write_answers
from vidattn.console import plain_console
from vidattn.mistakes import Mistake
from vidattn.training.skipped import run_folder
from vidattn.wording import counted
from vidattn.writable import check_place, make_folder


class PredictionWriter(pl.Callback):
    """Writes the five likeliest classes of each video, with probabilities, as CSV or JSON: what the task answers.

    Args:
        path: file to write, `.csv` or `.json`; `predictions.csv` in the run's folder by default. Of several processes
            the first writes the answers of all, in the order of the list.
        top: how many classes to list.

    Raises:
        ValueError: the file's ending is neither, or `top` is less than 1.
    """

    def __init__(self, path: str | None = None, top: int = 5) -> None:
        if path is not None and Path(path).suffix not in (".csv", ".json"):
            raise Mistake(f"predictions path {path!r} must end in .csv or .json")
        if top < 1:
            raise Mistake(f"predictions.top={top}: wanted at least one class to list")
        self.path = path
        self.top = top
        self.rows: list[dict[str, Any]] = []
        self.skipped: dict[str, str] = {}  # path -> reason; in the first process those of all, once it has ended

    def on_predict_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Start an empty list, and make the folder of the file.

        Raises:
            ValueError: the file cannot be written.
        """
        self.rows, self.skipped = [], {}
        self.file = Path(self.path) if self.path else run_folder(trainer) / "predictions.csv"
        if trainer.is_global_zero:
            check_place(self.file, folder=False)
            make_folder(self.file.parent)

    def on_predict_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *_: Any) -> None:
        """Add the batch's videos."""
        self.skipped |= dict(batch["skipped"])
        self.rows += pl_module.answers(outputs, self.top)

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the file and show the table.

        Raises:
            ValueError: the file cannot be written after all; then the table shows the answers about all videos.
        """
        rows = self._of_all_processes(trainer)
        if not trainer.is_global_zero:
            return
        try:
            write_answers(self.file, rows, self.top)
        except OSError as error:
            show_answers(rows, most=len(rows))
            raise Mistake(
                f"{self.file}: cannot write it ({error.strerror or error}); the answers stand in the table above only"
            ) from error
        show_answers(rows)
        show_account(rows, self.skipped, self.file)

    def _of_all_processes(self, trainer: pl.Trainer) -> list[dict[str, Any]]:
        """In the first process the rows of all (and in `skipped` theirs), in the order of the videos; elsewhere the
        process's own."""
        if trainer.world_size == 1:
            return self.rows
        first = trainer.is_global_zero
        gathered: list[Any] | None = [None] * trainer.world_size if first else None
        torch.distributed.gather_object((self.rows, self.skipped), gathered)
        if gathered is None:
            return self.rows
        datamodule: Any = trainer.datamodule  # type: ignore[attr-defined]
        place = {video.path: i for i, video in enumerate(datamodule.manifest("predict").videos)}
        skipped = {path: reason for _, theirs in gathered for path, reason in theirs.items()}
        self.skipped = dict(sorted(skipped.items(), key=lambda item: place[item[0]]))
        return sorted((row for rows, _ in gathered for row in rows), key=lambda row: place[row["path"]])


def show_answers(rows: list[dict[str, Any]], most: int = 20) -> None:
    """The first rows as a table on the terminal."""
    table = Table(title=counted(len(rows), "video"), title_justify="left")
    table.add_column("video", overflow="fold")  # the rest of a long path on further lines: never cut
    table.add_column("answers", overflow="fold")
    for row in rows[:most]:
        answers = ", ".join(f"{answer['class']} {answer['probability']:.1%}" for answer in row["top"])
        table.add_row(Text(row["path"]), Text(answers))
    Console(markup=False, emoji=False).print(table)


def show_account(rows: list[dict[str, Any]], skipped: dict[str, str], file: Path, most: int = 20) -> None:
    """Where the rows are, and what is not among them: path -> reason."""
    some = f"{len(rows)} of " if skipped else ""
    lines = [f"Answers for {some}{counted(len(rows) + len(skipped), 'video')} are in {file}"]
    if skipped:
        lines[0] += f"; skipped {counted(len(skipped), 'video')}, which could not be read:"
        lines += [f"  {path}: {reason}" for path, reason in list(skipped.items())[:most]]
        if len(skipped) > most:
            lines.append(f"  and {len(skipped) - most} more, see skipped.csv in the run's folder")
    console = plain_console()
    for line in lines:
        console.print(line)
