"""How long a training is to be, in epochs."""

import math

import pytorch_lightning as pl


def length_in_epochs(trainer: pl.Trainer) -> float:
    """Where `max_epochs` or `max_steps`, whichever comes first, ends the training; infinity where neither does."""
    epochs = math.inf if trainer.max_epochs in (None, -1) else trainer.max_epochs
    if trainer.max_steps == -1:
        return epochs
    batches, per_step = trainer.num_training_batches, trainer.accumulate_grad_batches
    whole, steps = divmod(trainer.max_steps, math.ceil(batches / per_step))  # the last step of an epoch may be smaller
    return min(epochs, whole + steps * per_step / batches)
