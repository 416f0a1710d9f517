"""An exported file as the network that a classifier runs."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from vidattn.calibration.calibration import Calibration
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.export.about import About
from vidattn.export.config import ExportedConfig
from vidattn.export.onnx_file import Run, Session
from vidattn.export.pt2 import about_pt2, run_pt2
from vidattn.export.write import ENDINGS
from vidattn.mistakes import Mistake
from vidattn.preprocessing import Three

AS_THEY_ARE: tuple[Three, Three] = ((0.0,) * 3, (1 / 255,) * 3)
"""Mean and std that leave pixels as they are, from 0 to 255: the graph normalises them itself."""


class ExportedNetwork(nn.Module):
    """The graph of a file that classifies: pixels in, logits out; their softmax, or sigmoids, are the graph's answers.

    It runs where a .pt2 can be moved to; an ONNX file on the CPU, from where its answers are brought back.

    Args:
        file: an ONNX file, or a .pt2 of somebody whom you trust.

    Raises:
        ValueError: it cannot be read, or answers something else.
    """

    config: ExportedConfig

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.run: Run | None = None
        if file.suffix == ".onnx":
            self.run = session = Session(file)
            about = session.about
        else:
            about = about_pt2(file)
        if about.task != "classify":
            raise Mistake(
                f"{file}: answers {', '.join(about.outputs)} ({about.task}), and no probabilities of classes; run it "
                "with onnxruntime or torch.export.load, or export the checkpoint with --task classify"
            )
        self.config = ExportedConfig(about)

    @property
    def about(self) -> About:
        """What the file says of itself."""
        return self.config.about

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> "ExportedNetwork":  # type: ignore[override]
        """Load the graph for this device.

        Raises:
            ValueError: another type than float32 is wanted.
        """
        if dtype != torch.float32:
            raise Mistake(f"{self.file}: its graph is in float32; leave precision={str(dtype)[6:]} out")
        if not isinstance(self.run, Session):
            self.run = run_pt2(self.file, device)
        return self

    def forward(self, video: Tensor) -> Tensor:
        """Pixels from 0 to 255 `(B, 3, T, H, W)`, of any type -> logits `(B, K)`."""
        self.config.check_clip(*video.shape[2:])
        if self.run is None:
            self.to(video.device)
        assert self.run is not None
        found = self.run(video.round().to(torch.uint8))["probabilities"].to(video.device)
        return found.logit() if self.about.preprocessing.multi_label else found.log()


def is_exported(source: str | Path) -> bool:
    """Whether this is the name of an exported file.

    >>> is_exported("divided.onnx"), is_exported("best.ckpt")
    (True, False)
    """
    return Path(source).suffix in ENDINGS


def read_exported(source: str | Path) -> Pretrained:
    """The network of an exported file with its names and preprocessing, as `vidattn.load` gives those of checkpoints.

    Args:
        source: an ONNX file, or a .pt2 of somebody whom you trust.

    Raises:
        ValueError: it cannot be read, is not vidattn's, or answers something else than probabilities.
    """
    network = ExportedNetwork(Path(source).expanduser())
    about = network.about
    preprocessing = replace(about.preprocessing, mean=AS_THEY_ARE[0], std=AS_THEY_ARE[1])
    beside = Calibration(threshold=about.calibration.threshold)  # the rest is in the graph
    return Pretrained(network, about.class_names, preprocessing, about.notes, str(source), about.licence, beside)
