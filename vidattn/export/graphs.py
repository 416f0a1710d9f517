"""What an exported file computes: from uint8 pixels to answers by name."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from vidattn.models.actions import Actions
from vidattn.models.lean import lean
from vidattn.models.network import Network
from vidattn.models.normalize import Normalize
from vidattn.models.query_decoder import QueryDecoder
from vidattn.models.tubes import on_each_frame


class Graph(nn.Module, ABC):
    """uint8 clips `(B, 3, T, H, W)` -> tensors by name, all of them float32.

    Args:
        network: normalised clips in.
        normalize: makes those of pixels.

    Attributes:
        task: what it answers.
        outputs: the names of the tensors, and what each holds.
    """

    task: ClassVar[str]
    outputs: ClassVar[dict[str, str]]

    def __init__(self, network: nn.Module, normalize: Normalize) -> None:
        super().__init__()
        self.network = network.float().eval()
        self.normalize = normalize

    @abstractmethod
    def forward(self, video: Tensor) -> dict[str, Tensor]:
        """The tensors, in the order of `outputs`."""


class ProbabilityGraph(Graph):
    """What happens in each clip.

    Args:
        network: normalised clips `(B, 3, T, H, W)` -> logits `(B, K)`; its lean form is what goes into the file.
        normalize: makes those of pixels.
        probabilities: makes those of logits, such as `vidattn.calibration.probabilities.Probabilities`.
    """

    task = "classify"
    outputs: ClassVar[dict[str, str]] = {"probabilities": "(batch, classes)"}

    def __init__(self, network: nn.Module, normalize: Normalize, probabilities: nn.Module) -> None:
        super().__init__(lean(network.float()), normalize)
        self.probabilities = probabilities

    def forward(self, video: Tensor) -> dict[str, Tensor]:
        """`probabilities`, `(B, K)`."""
        return {"probabilities": self.probabilities(self.network(self.normalize(video)))}


class FeatureGraph(Graph):
    """What the network's head would take, a vector of each clip; as `vidattn.classify.FeatureExtractor` gives it."""

    task = "features"
    outputs: ClassVar[dict[str, str]] = {"features": "(batch, width)"}
    network: Network

    def forward(self, video: Tensor) -> dict[str, Tensor]:
        """`features`, `(B, D)`."""
        return {"features": self.network.read(self.network.features(self.normalize(video)))}


class DetectionGraph(Graph):
    """Who does what, where: boxes on the asked frames and the scores of their actions, for every query.

    Args:
        network: normalised clips in.
        normalize: makes those of pixels.
        decoder: of queries.
        actions: what its logits mean.
    """

    task = "detect"
    outputs: ClassVar[dict[str, str]] = {
        "boxes": "(batch, people, asked frames, 4): x1 y1 x2 y2 in fractions of the picture",
        "scores": "(batch, people, asked frames, classes)",
    }
    network: Network

    def __init__(self, network: Network, normalize: Normalize, decoder: QueryDecoder, actions: Actions) -> None:
        super().__init__(network, normalize)
        self.decoder = decoder.float().eval()
        self.actions = actions

    def forward(self, video: Tensor) -> dict[str, Tensor]:
        """`boxes`, `(B, Q, K, 4)`, and `scores`, `(B, Q, K, C)`."""
        features = self.network.features(self.normalize(video), normalized=True)
        found, _ = self.decoder(features, video.shape[2])
        boxes, scores = on_each_frame(found, self.actions.scores(found.logits[-1]))
        return {"boxes": boxes, "scores": scores}
