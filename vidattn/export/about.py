"""What stands in an exported file beside its graph: what it takes, what it answers, and how videos are prepared."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vidattn.calibration.calibration import Calibration
from vidattn.mistakes import Mistake
from vidattn.preprocessing import Preprocessing

FORMAT = 1
KEY = "vidattn"
"""The name of the entry: of an ONNX file's `metadata_props`, and with `.json` of a .pt2's extra files."""

OPEN = ("frames", "size")
"""Axes that can be left open beside the batch: how many frames a clip has, and its height and width."""


@dataclass(frozen=True)
class About:
    """What is to be known of an exported graph.

    Args:
        task: what it answers: classify, features or detect.
        class_names: in the order of the last axis of its answers; empty where nobody knows them.
        preprocessing: how a video becomes the clips; normalisation by mean and std is in the graph.
        scheme: the network's, as tables call it.
        num_frames: of a clip, T.
        height: in pixels.
        width: in pixels.
        num_classes: K.
        outputs: the names of the tensors that come out, and what each holds.
        dynamic: which axes are open beside the batch, with what their lengths must be multiples of: frames, size.
        has_time: whether order and number of frames matter to the network.
        opset: of ONNX; None in a .pt2.
        version: of vidattn that wrote it.
        notes: what was assumed, or not taken over as it was, a line each.
        licence: of the weights, if it is known.
        calibration: of the answers: temperature and bias are in the graph, a threshold is not.
    """

    task: str
    class_names: list[str]
    preprocessing: Preprocessing
    scheme: str
    num_frames: int
    height: int
    width: int
    num_classes: int
    outputs: dict[str, str]
    dynamic: dict[str, int] = field(default_factory=dict)
    has_time: bool = True
    opset: int | None = None
    version: str = ""
    notes: list[str] = field(default_factory=list)
    licence: str = ""
    calibration: Calibration = Calibration()

    @property
    def clip(self) -> str:
        """The clips that it takes, in words."""
        return f"{self.num_frames} frames of {self.height}x{self.width}"

    def to_json(self) -> str:
        """All of it, as it stands in a file."""
        parts = {"preprocessing": self.preprocessing.to_dict(), "calibration": self.calibration.to_dict()}
        return json.dumps({"format": FORMAT, **asdict(self), **parts}, indent=1)


def about_of(metadata: Mapping[str, str], file: Path) -> About:
    """What the metadata of a file say.

    Raises:
        ValueError: nothing of vidattn's stands there, it is damaged, or a newer vidattn wrote it.
    """
    if KEY not in metadata:
        held = f"; it holds {', '.join(map(repr, list(metadata)[:4]))}" if metadata else ""
        raise Mistake(
            f"{file}: says nothing of class names, sampling and size under {KEY!r}{held}: somebody else's file, or its "
            f"metadata were stripped; write one of the checkpoint: vidattn export CHECKPOINT {file.name}"
        )
    again = f"write it again: vidattn export CHECKPOINT {file.name}"
    try:
        stored = json.loads(metadata[KEY])
        written = stored.pop("format")
        about = _about(stored) if written <= FORMAT else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        kind = "" if isinstance(error, Mistake) else f"{type(error).__name__}: "
        raise Mistake(f"{file}: its metadata cannot be read ({kind}{error}); {again}") from None
    if about is None:
        raise Mistake(f"{file}: format {written} is newer than this vidattn, which reads {FORMAT}; update it")
    return about


def _about(stored: dict[str, Any]) -> About:
    """
    Raises:
        ValueError: a value is none that a file of ours has.
    """
    for name in ("num_frames", "height", "width", "num_classes"):
        if not isinstance(stored[name], int) or stored[name] < 1:
            raise Mistake(f"{name}={stored[name]!r}")
    if not all(isinstance(name, str) for name in stored["class_names"]):
        raise Mistake("class_names must be text")
    preprocessing = Preprocessing.from_dict(stored.pop("preprocessing"))
    calibration = Calibration.from_dict(stored.pop("calibration", {}))
    return About(**stored, preprocessing=preprocessing, calibration=calibration)
