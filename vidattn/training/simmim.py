"""Pre-training by mask tokens: for schemes that must see the whole map."""

import torch
import torch.nn.functional as F
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn

from vidattn.attention.parts import linear
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.keep import Kept, MaskTokens
from vidattn.models.masks import Mask, TubeMask
from vidattn.models.network import Features, NetworkConfig
from vidattn.models.normalize import Normalization
from vidattn.models.pixel_decoder import pixels_of_a_patch
from vidattn.training.masked_prediction import MaskedPrediction
from vidattn.training.schedule import Constant, Schedule


class SimMIM(MaskedPrediction):
    """The network sees the whole map, with one learnt vector in every hidden place; a linear layer paints those.

    SimMIM, https://arxiv.org/abs/2111.09886: for every scheme, windows, neighbourhoods, axial attention and image
    blocks too, with every mask. A step costs what the whole network costs, whatever is hidden.

    Args:
        network: see `MaskedPrediction`, as for the others.
        mask: what is hidden; 0.6 in tubes by default.
        optimizer: makes an optimizer from parameter groups.
        schedule: learning rate over the epochs.
        normalization: mean and std of the network's input, by name.
        weights: what to start from.
        normalize_patches: whether each patch is to be painted with its own mean and deviation taken away. The paper's
            targets are plain pixels.
    """

    def __init__(
        self,
        network: VideoTransformerConfig | NetworkConfig,
        mask: Mask = TubeMask(0.6),  # noqa: B008  (frozen)
        optimizer: OptimizerCallable = torch.optim.AdamW,
        schedule: Schedule = Constant(),  # noqa: B008  (frozen)
        normalization: Normalization | None = None,
        weights: str | None = None,
        normalize_patches: bool = False,
    ) -> None:
        super().__init__(network, mask, optimizer, schedule, normalization, weights, normalize_patches)
        width = self.network.num_features
        self.mask_token = nn.Parameter(nn.init.trunc_normal_(torch.empty(width), std=0.02))
        self.painter = linear(width, pixels_of_a_patch(network))
        self.take_beside()

    def seen(self, keep: Kept, grid: Grid) -> Kept:
        """The whole map, hidden places replaced."""
        return MaskTokens(keep.tokens(grid), self.mask_token)

    def paint(self, features: Features, keep: Kept, grid: Grid) -> Tensor:
        """By one linear layer, of each hidden place alone."""
        tokens = features.video.flatten(1, 3)
        return self.painter(tokens.take_along_dim(keep.hidden(grid)[:, :, None], dim=1))

    def error(self, painted: Tensor, wanted: Tensor) -> Tensor:
        """The mean absolute error, as in the paper (section 3.2)."""
        return F.l1_loss(painted, wanted)

    def macs(self, frames: int, height: int, width: int) -> tuple[Macs, Macs]:
        """Cost of painting one clip: that of the network, and that of the painter."""
        whole = self.config.grid(frames, height, width)
        hidden = self.mask.keep(whole, [0]).hidden(whole).shape[1]
        painter = Macs(linear=hidden * self.painter.weight.numel())
        return self.network.features_macs(frames, height, width), painter
