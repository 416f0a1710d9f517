"""A network with all that is needed to use it, as it is saved in a folder and shared on the Hugging Face hub."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelCardData, PyTorchModelHubMixin
from safetensors.torch import save_file
from torch import Tensor, nn

from vidattn.checkpoints.files import WEIGHTS
from vidattn.checkpoints.saved import description
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.normalize import Normalize

CARD = """
# {title}

A video transformer with **{attention}** attention, made with vidattn.

| | |
|---|---|
| clip | {num_frames} frames of {height} x {width} pixels |
| width, depth, heads | {embed_dim}, {depth}, {num_heads} |
| parameters | {parameters:,} |
| cost of a clip | {gmacs:.3g} GMACs (1 MAC = 2 FLOPs) |
| classes | {num_classes} |
| mean, std of pixels | {mean}, {std} |

```python
import vidattn

model = vidattn.load("FOLDER")  # this folder, or its id on the hub
logits = model(video)  # uint8 (batch, 3, frames, height, width) -> (batch, classes)
```
{classes}"""


class Pretrained(nn.Module, PyTorchModelHubMixin, library_name="vidattn", pipeline_tag="video-classification"):
    """A network, the names of its classes, and how a video becomes its input: what `vidattn.load` returns.

    `save_pretrained(folder)` writes `config.json`, `model.safetensors` and a model card; `from_pretrained(folder or hub
    id)` reads them, or anything that `vidattn.load` does; `push_to_hub(id)` shares them.

    Args:
        network: takes normalised clips, see `vidattn.models.presets.build_network`.
        class_names: in the order of the logits; empty where nobody knows them.
        preprocessing: `mean` and `std` of pixels in [0, 1]; `image_size` and `sampling` where they are known.
        report: what loading changed, left out or assumed, a line each.
    """

    def __init__(
        self, network: nn.Module, class_names: Sequence[str], preprocessing: dict[str, Any], report: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.network = network
        self.class_names = list(class_names)
        self.preprocessing = dict(preprocessing)
        self.report = list(report)
        self.normalize = Normalize(*(tuple(self.preprocessing[name]) for name in ("mean", "std")))

    @property
    def config(self) -> VideoTransformerConfig:
        """The network's configuration."""
        return self.network.config  # type: ignore[return-value]

    def forward(self, video: Tensor) -> Tensor:
        """uint8 clips `(B, 3, T, H, W)` -> logits `(B, K)`."""
        return self.network(self.normalize(video))

    def _save_pretrained(self, save_directory: Path) -> None:
        about = description(self.config, self.class_names, self.preprocessing)
        labels = dict(enumerate(self.class_names))
        written = {"vidattn": about, "id2label": labels}  # the latter for the hub's own pages
        state = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        # The description stands in the weights too: the file alone is enough.
        save_file(state, save_directory / WEIGHTS[0], {"format": "pt", "vidattn": json.dumps(about)})
        (save_directory / "config.json").write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def from_pretrained(cls, source: str | Path, *, revision: str | None = None) -> "Pretrained":  # type: ignore[override]
        """What `vidattn.load` makes of a source, unchanged.

        Args:
            source: see `vidattn.load`.
            revision: branch, tag or commit on the hub.
        """
        from vidattn.checkpoints.load import load  # which needs this class

        return load(source, revision=revision)

    def generate_model_card(self, title: str = "vidattn model") -> ModelCard:
        """The README of the folder: what this network is, what it costs, and the lines that use it."""
        config = self.config
        height, width = config.size
        macs = self.network.macs(config.num_frames, height, width)  # type: ignore[operator]
        text = CARD.format(
            title=title,
            attention=config.attention,
            num_frames=config.num_frames,
            height=height,
            width=width,
            embed_dim=config.embed_dim,
            depth=config.depth,
            num_heads=config.num_heads,
            parameters=sum(parameter.numel() for parameter in self.network.parameters()),
            gmacs=macs.total / 1e9,
            num_classes=config.num_classes,
            mean=self.preprocessing["mean"],
            std=self.preprocessing["std"],
            classes="\nClasses: " + ", ".join(self.class_names) + "\n" if self.class_names else "",
        )
        data = ModelCardData(library_name="vidattn", pipeline_tag="video-classification", tags=["video", "vidattn"])
        return ModelCard(f"---\n{data.to_yaml()}\n---\n{text}")
