"""The model card of a folder: the network, its origin and cost, and the code that uses it."""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from vidattn.calibration.calibration import Calibration
from vidattn.models.network import NetworkConfig
from vidattn.preprocessing import Preprocessing
from vidattn.quantization.recipe import num_weights

CARD = """
# {title}

A video transformer with **{attention}** attention, made with vidattn.

| | |
|---|---|
| made from | {source} |{licence}
| clip | {num_frames} frames of {height} x {width} pixels |
| which frames | {sampling} |
| mean, std of pixels | {mean}, {std} |
| network | {shape} |
| parameters | {parameters:,} |
| cost of a clip | {gmacs:.3g} GMACs (1 MAC = 2 FLOPs) |
| classes | {num_classes} |{calibrated}

```python
import vidattn

classify = vidattn.Classifier.from_pretrained("FOLDER")  # this folder, or its id on the hub
print(classify("clip.mp4"))  # classes and their probabilities

model = vidattn.load("FOLDER")
logits = model(video)  # uint8 (batch, 3, frames, height, width) -> (batch, classes)
```
{notes}{classes}"""


def card_text(
    network: nn.Module,
    class_names: Sequence[str],
    preprocessing: Preprocessing,
    notes: Sequence[str],
    source: str,
    title: str,
    licence: str = "",
    calibration: Calibration = Calibration(),
) -> str:
    """The card without the hub's header; see `vidattn.checkpoints.pretrained.Pretrained` for the arguments."""
    config: NetworkConfig = network.config  # type: ignore[assignment]
    height, width = config.size
    mean, std = preprocessing.pixels
    macs = network.macs(config.num_frames, height, width)  # type: ignore[operator]
    lines = "".join(f"- {line}\n" for line in notes).replace("*", r"\*")  # blocks.* is no emphasis
    return CARD.format(
        title=title,
        attention=config.title,
        source=_last_parts(source) if source else "weights in memory",
        licence=f"\n| licence of these weights | {licence} |" if licence else "",
        num_frames=config.num_frames,
        height=height,
        width=width,
        sampling=str(preprocessing.sampling or "not known; `Classifier` chooses and says so"),
        shape=config.shape,
        parameters=num_weights(network),
        gmacs=macs.total / 1e9,
        num_classes=config.num_classes,
        calibrated=_calibrated(calibration),
        mean=list(mean),
        std=list(std),
        notes=f"\nWhat was changed, left out or assumed when it was made:\n\n{lines}" if notes else "",
        classes="\nClasses: " + ", ".join(class_names) + "\n" if class_names else "",
    )


def _calibrated(calibration: Calibration) -> str:
    """The row that says how logits become probabilities, where that was measured."""
    rows = ""
    if calibration.temperature != 1 or calibration.bias:
        bias = f" + {calibration.bias:.3f}" if calibration.bias else ""
        rows += (
            f"\n| probabilities | of logits / {calibration.temperature:.3f}{bias}, as measured: `model.probabilities` |"
        )
    if calibration.threshold is not None:
        rows += f"\n| none of these | below {calibration.threshold.least:.1%} |"
    return rows


def _last_parts(source: str) -> str:
    """An id on the hub, or the end of a path: whose folders it lay in does not belong in a card that is shared."""
    return "/".join(Path(source).as_posix().strip("/").split("/")[-3:])
