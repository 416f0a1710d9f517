"""VideoPrism for other clips, with another read-out, or to be trained otherwise: what need not be as it was saved."""

from dataclasses import replace

from vidattn.checkpoints.saved import Saved
from vidattn.models.videoprism import VideoPrismConfig, antialiased

OF_TRAINING = ("dropout", "drop_path", "gradient_checkpointing", "init_std")
"""Fields that change nothing of what weights compute."""


def for_config(saved: Saved, trained: VideoPrismConfig, config: VideoPrismConfig) -> tuple[Saved, list[str]]:
    """The weights as those of a network for the clips and with the read-out of `config`, and a line for each change.

    Tables are resized as VideoPrism resizes them: bilinear, averaged where they shrink.

    Args:
        saved: the checkpoint.
        trained: its configuration.
        config: the network's configuration.
    """
    grid, state, lines = config.native_grid, dict(saved.state), []
    for name, sides in (("spatial.table", (grid.height, grid.width)), ("temporal.table", (grid.frames, 1))):
        old = tuple(state[name].shape[1:3])
        if old != sides:
            state[name] = antialiased(state[name], *sides)
            lines.append(f"{name}: resized, {old} -> {sides}, bilinear")
    if trained.pooling != config.pooling:
        state = {name: value for name, value in state.items() if not name.startswith("readout.")}
        lines.append(f"pooling: {trained.pooling} in the file, {config.pooling} here; the read-out starts fresh")
    free = ("num_frames", "image_size", "pooling", *OF_TRAINING)
    same = replace(trained, **{name: getattr(config, name) for name in free})
    return replace(saved, config=same, state=state), lines
