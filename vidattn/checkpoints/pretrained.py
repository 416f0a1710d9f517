"""A network with all that is needed to use it, as it is saved in a folder and shared on the Hugging Face hub."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import ModelCard, ModelCardData, PyTorchModelHubMixin
from safetensors.torch import save_file
from torch import Tensor, nn

from vidattn.calibration.calibration import Calibration
from vidattn.calibration.probabilities import Probabilities
from vidattn.checkpoints.card import card_text
from vidattn.checkpoints.files import WEIGHTS
from vidattn.checkpoints.filling import Filled, built_and_filled
from vidattn.checkpoints.saved import description
from vidattn.models.network import NetworkConfig
from vidattn.models.normalize import Normalize
from vidattn.preprocessing import Preprocessing
from vidattn.quantization.recipe import Quantization


class Pretrained(nn.Module, PyTorchModelHubMixin, library_name="vidattn", pipeline_tag="video-classification"):
    """A network, the names of its classes, and how a video becomes its input: what `vidattn.load` returns.

    `save_pretrained(folder)` writes `config.json`, `model.safetensors` and a model card; `from_pretrained(folder or hub
    id)` reads them, or anything that `vidattn.load` does; `push_to_hub(id)` shares them.

    Args:
        network: takes normalised clips, see `vidattn.models.presets.build_network`.
        class_names: in the order of the logits; empty where nobody knows them.
        preprocessing: how a video becomes the network's input; `mean` and `std` must be known.
        report: what loading changed, left out or assumed, a line each.
        source: what it was loaded from, for the model card.
        licence: under which the weights are shared, for the model card.
        calibration: what was measured of the network's answers; see `probabilities`.

    Attributes:
        quantization: what was done to make the network small (`vidattn quantize`); None where it is in floating point.
    """

    def __init__(
        self,
        network: nn.Module,
        class_names: Sequence[str],
        preprocessing: Preprocessing | dict[str, Any],
        report: Sequence[str] = (),
        source: str = "",
        licence: str = "",
        calibration: Calibration | dict[str, Any] = Calibration(),
    ) -> None:
        super().__init__()
        self.network = network
        self.class_names = list(class_names)
        if isinstance(preprocessing, dict):
            preprocessing = Preprocessing.from_dict(preprocessing)
        self.preprocessing = preprocessing
        self.report = list(report)
        self.source = source
        self.licence = licence
        self.calibration = Calibration.from_dict(calibration) if isinstance(calibration, dict) else calibration
        self.loaded_head: Tensor | None = None  # set by `of`: when the head has moved, the network was trained
        self.beside: dict[str, Tensor] = {}  # set by `of`: what a pre-training trained with the network
        self.quantization: Quantization | None = None  # set by `of`
        self.normalize = Normalize(*preprocessing.pixels)

    @property
    def config(self) -> NetworkConfig:
        """The network's configuration."""
        return self.network.config  # type: ignore[return-value]

    @property
    def head_is_fresh(self) -> bool:
        """Whether the head was not in the source, so that its answers are random until it is trained."""
        return any(line.startswith("head: reset") for line in self.report)

    @property
    def is_detector(self) -> bool:
        """Whether the source holds a decoder of queries beside the network, as those of `vidattn.ActionDetector` do."""
        return "decoder.anchors" in self.beside

    @property
    def notes(self) -> list[str]:
        """The report to save: empty once the head was trained, because nothing is fresh any more."""
        return [] if self._was_trained else self.report

    @property
    def probabilities(self) -> Probabilities:
        """From logits to calibrated probabilities: what follows the network wherever it answers, also in a graph."""
        return Probabilities(self.preprocessing.multi_label, self.calibration)

    @property
    def _kept_calibration(self) -> Calibration:
        """The calibration to save: it is of the weights as they were."""
        return Calibration() if self._was_trained else self.calibration

    @property
    def _was_trained(self) -> bool:
        if self.loaded_head is None:
            return False
        head = self.network.state_dict().get("head.weight")  # somebody may have put another in its place
        return head is None or not torch.equal(self.loaded_head.to(head), head)

    def forward(self, video: Tensor) -> Tensor:
        """uint8 clips `(B, 3, T, H, W)` -> logits `(B, K)`."""
        return self.network(self.normalize(video))

    def save_weights(self, file: Path) -> None:
        """Write one safetensors file that is enough: the weights, and in its header what is to be known of them."""
        state = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        save_file(state, file, {"format": "pt", "vidattn": json.dumps(self._description())})

    def _description(self) -> dict[str, Any]:
        return description(
            self.config,
            self.class_names,
            self.preprocessing,
            self.notes,
            self.licence,
            self._kept_calibration,
            self.quantization,
        )

    def _save_pretrained(self, save_directory: Path) -> None:
        labels = dict(enumerate(self.class_names))
        written = {"vidattn": self._description(), "id2label": labels}  # the latter for the hub's own pages
        self.save_weights(save_directory / WEIGHTS[0])
        (save_directory / "config.json").write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def from_pretrained(cls, source: str | Path, *, revision: str | None = None) -> "Pretrained":  # type: ignore[override]
        """What `vidattn.load` makes of a source, unchanged.

        Args:
            source: see `vidattn.load`.
            revision: branch, tag or commit on the hub.
        """
        return cls.of(built_and_filled(source, "smooth", "central", revision, {})).eval()

    @classmethod
    def of(cls, filled: Filled) -> "Pretrained":
        """A network as it was filled from a checkpoint."""
        model = cls(*filled[:5], filled.licence, filled.calibration)
        model.loaded_head, model.beside, model.quantization = filled.head, filled.beside, filled.quantization
        return model

    def generate_model_card(self, title: str = "vidattn model") -> ModelCard:
        """The README of the folder; see `vidattn.checkpoints.card`."""
        text = card_text(
            self.network,
            self.class_names,
            self.preprocessing,
            self.notes,
            self.source,
            title,
            self.licence,
            self._kept_calibration,
        )
        data = ModelCardData(library_name="vidattn", pipeline_tag="video-classification", tags=["video", "vidattn"])
        return ModelCard(f"---\n{data.to_yaml()}\n---\n{text}")
