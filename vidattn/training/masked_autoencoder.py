"""Pre-training by a masked autoencoder: the encoder sees a tenth of a clip, and a decoder paints the rest."""

import torch
import torch.nn.functional as F
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn

from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.keep import Kept
from vidattn.models.masks import Mask, TubeMask
from vidattn.models.network import Features, NetworkConfig
from vidattn.models.normalize import Normalization
from vidattn.models.pixel_decoder import Decoder
from vidattn.training.masked_prediction import MaskedPrediction, check_paintable
from vidattn.training.schedule import Constant, Schedule


class MaskedAutoencoder(MaskedPrediction):
    """The network sees what the mask leaves, and nothing else; a small decoder paints what was hidden.

    VideoMAE, https://arxiv.org/abs/2203.12602; MAE, https://arxiv.org/abs/2111.06377. For every scheme that can do with
    some of a clip's tokens (see `vidattn.models.keep`): with `TubeMask` joint, divided, space, trajectory, linear and
    the like; with `RandomMask` and `FrameMask` joint and linear. For the others there is `SimMIM`.

    Several masks and crops of one decoding ("repeated sampling", VideoMAE v2, https://arxiv.org/abs/2303.16727): set
    `data.loading.clips_per_video`.

    Args:
        network: see `MaskedPrediction`, as for the others.
        mask: what is hidden; nine tenths in tubes by default.
        decoder: what paints.
        optimizer: makes an optimizer from parameter groups.
        schedule: learning rate over the epochs.
        normalization: mean and std of the network's input, by name.
        weights: what to start from; of a pre-training (ours, or a folder of Hugging Face's VideoMAE) the decoder as
            well, where it has the same numbers.
        normalize_patches: whether each patch is to be painted with its own mean and deviation taken away.

    Raises:
        ValueError: the network must see the whole map, or cannot take this kind of mask.
    """

    def __init__(
        self,
        network: VideoTransformerConfig | NetworkConfig,
        mask: Mask = TubeMask(),  # noqa: B008  (frozen)
        decoder: Decoder = Decoder(),  # noqa: B008  (frozen)
        optimizer: OptimizerCallable = torch.optim.AdamW,
        schedule: Schedule = Constant(),  # noqa: B008  (frozen)
        normalization: Normalization | None = None,
        weights: str | None = None,
        normalize_patches: bool = True,
    ) -> None:
        try:
            network.check_keeps(mask.keep(network.native_grid, [0]))
        except Mistake as error:
            check_paintable(network, mask)  # what SimMIM cannot paint either is refused for that
            raise Mistake(
                f"{error}; vidattn.SimMIM hides places behind a token instead, in every scheme and with every mask"
            ) from None
        super().__init__(network, mask, optimizer, schedule, normalization, weights, normalize_patches)
        self.decoder = decoder.build(network, self.network.num_features)
        self.take_beside()

    @property
    def sharded(self) -> list[nn.Module]:
        """The network and its decoder."""
        return [self.network, self.decoder]

    def seen(self, keep: Kept, grid: Grid) -> Kept:
        """What the mask leaves."""
        return keep

    def paint(self, features: Features, keep: Kept, grid: Grid) -> Tensor:
        """By the decoder."""
        return self.decoder(features.prefix, features.video.flatten(1, 3), keep, grid)

    def error(self, painted: Tensor, wanted: Tensor) -> Tensor:
        """The mean squared error."""
        return F.mse_loss(painted, wanted)

    def macs(self, frames: int, height: int, width: int) -> tuple[Macs, Macs]:
        """Cost of painting one clip: that of the network on what it sees, and that of the decoder."""
        whole = self.config.grid(frames, height, width)
        keep = self.mask.keep(whole, [0])
        seen = keep.tokens(whole).shape[1]
        stage = self.network.layout(frames, height, width, keep)[-1]
        prefix = stage.runs * stage.grid.prefix  # each frame's own, where frames do not meet
        return self.network.features_macs(frames, height, width, keep), self.decoder.macs(prefix, seen, whole)
