"""Lightning trainings on a few clips in memory: no videos, no files."""

import pytorch_lightning as pl


class Batches:
    """Batches as `VideoDataModule` makes them, in the same order in each epoch."""

    def __init__(self, video, labels, size):
        self.video, self.labels, self.size = video, labels, size

    def __len__(self):
        return len(self.video) // self.size

    def __iter__(self):
        for first in range(0, len(self.video), self.size):
            part = slice(first, first + self.size)
            numbers = range(len(self.video))[part]
            yield {"video": self.video[part], "label": self.labels[part], "path": [str(number) for number in numbers]}


def fitted(module, video, labels, callbacks, size=None, epochs=1, **trainer):
    """The module after so many epochs, and what it logged last."""
    run = pl.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=callbacks, **trainer,
    )  # fmt: skip
    run.fit(module, Batches(video, labels, size or len(video)))
    return module, {name: value.item() for name, value in run.callback_metrics.items()}
