"""Pictures of a pre-training while it runs, one an epoch."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor

from vidattn.models.pixel_decoder import video_of
from vidattn.training.skipped import run_folder
from vidattn.training.write_picture import write_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLIPS = 2
"""As many clips are painted in each picture: the first ones of the validation, else of the first training batch."""


class Reconstructions(pl.Callback):
    """Writes `reconstructions/epoch_<n>.png` into the run's folder, and the same into TensorBoard's events.

    The clips and their masks are the same in every epoch. The run goes on where a picture cannot be drawn.
    """

    def __init__(self) -> None:
        self.batch: dict[str, Any] = {}

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Keep clips, where there is no validation."""
        if not self.batch and not any(trainer.num_val_batches):
            self._keep(batch)

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Keep clips."""
        if not self.batch and len(batch["video"]):
            self._keep(batch)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Paint, in every process, as weights may lie in pieces; the first draws."""
        if not self.batch:
            return
        folder = run_folder(trainer)
        training = pl_module.training
        pl_module.eval()
        with torch.no_grad(), trainer.strategy.precision_plugin.forward_context():
            video = self.batch["video"].to(pl_module.device)
            found = pl_module(video, pl_module.draw({**self.batch, "video": video}, -1))
            whole = pl_module.pixels(found, video)
        pl_module.train(training)
        if not trainer.is_global_zero:
            return
        hidden = found.keep.hidden(found.grid)
        seen = torch.ones(video.shape[0], found.grid.num_video_tokens, 1, device=video.device).scatter(
            1, hidden[..., None], 0
        )
        per_patch = video[0, 0].numel() // found.grid.num_video_tokens
        known = video_of(seen.expand(-1, -1, per_patch), found.grid, *video.shape[2:])[:, 0]
        clips = [_as_pictures(*one) for one in zip(video.float() / 255, whole, known, strict=True)]
        file = folder / "reconstructions" / f"epoch_{trainer.current_epoch:03d}.png"
        title = f"epoch {trainer.current_epoch}, {pl_module.config.title}, {pl_module.mask.ratio:.0%} hidden"
        self._write(trainer, file, clips, title)

    def _keep(self, batch: dict[str, Any]) -> None:
        names = ("video", "video_id", "view")
        self.batch = {name: batch[name][:CLIPS].detach().cpu() for name in names}

    def _write(self, trainer: pl.Trainer, file: Path, clips: Iterable[tuple[np.ndarray, ...]], title: str) -> None:
        def draw() -> "Figure":
            from vidattn.plots.reconstruction import plot_reconstructions  # it loads matplotlib

            return plot_reconstructions(list(clips), title)  # type: ignore[arg-type]

        file.parent.mkdir(parents=True, exist_ok=True)
        if not write_picture(draw, file):
            return
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                from PIL import Image

                with Image.open(file) as picture:
                    pixels = np.asarray(picture.convert("RGB"))
                logger.experiment.add_image("reconstructions", pixels, trainer.global_step, dataformats="HWC")


def _as_pictures(clip: Tensor, painted: Tensor, seen: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clips `(3, T, H, W)` and what was seen `(T, H, W)` as `plot_reconstructions` takes them."""
    pictures = [one.float().movedim(0, -1).cpu().numpy() for one in (clip, painted)]
    return pictures[0], pictures[1], seen.bool().cpu().numpy()
