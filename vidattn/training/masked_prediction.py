"""What trainings that paint hidden patches share: masks, targets, and what is measured of them."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import NamedTuple

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.utilities.rank_zero import rank_zero_info
from torch import Tensor

from vidattn.checkpoints.pretrained import Pretrained
from vidattn.data.clips.order import stable_seed
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.keep import Kept, rows_at
from vidattn.models.masks import Mask
from vidattn.models.network import Features, NetworkConfig
from vidattn.models.normalize import Normalization
from vidattn.models.pixel_decoder import patch_statistics, patches_of, video_of
from vidattn.training.means import Means, log_means
from vidattn.training.module import Batch, VideoModule
from vidattn.training.reconstructions import Reconstructions
from vidattn.training.schedule import Constant, Schedule
from vidattn.training.spread import Spread


class Painted(NamedTuple):
    """What was made of a batch of clips.

    Args:
        patches: painted, `(B, M - m, n)`, as `vidattn.models.pixel_decoder.patches_of` lays out pixels.
        wanted: what should have been painted, likewise.
        keep: what was seen.
        grid: of all tokens.
        features: what the network made of what was seen.
    """

    patches: Tensor
    wanted: Tensor
    keep: Kept
    grid: Grid
    features: Features


class MaskedPrediction(VideoModule, ABC):
    """Pre-training without labels: hides patches of a clip and paints them from the rest. Abstract.

    A clip's mask depends on the data's seed, the epoch, the video and the number of the clip within it: not on the
    batch that it is in, nor on the number of processes. In evaluation it is always the same one.

    The read-out and the head of the network take no part: they are frozen, and whoever loads the network from a
    checkpoint gets fresh ones.

    Args:
        network: see `VideoModule`, as for the others.
        mask: what is hidden.
        optimizer: makes an optimizer from parameter groups.
        schedule: learning rate over the epochs.
        normalization: mean and std of the network's input, by name; ImageNet's, as VideoMAE's, unless `weights` say
            others.
        weights: what to start from.
        normalize_patches: whether the pixels to paint are those of each patch and channel with its mean taken away,
            divided by its deviation (MAE, https://arxiv.org/abs/2111.06377, section 3); else they are the pixels from 0
            to 1.

    Raises:
        ValueError: the network cannot take such masks; said before any data is read.
    """

    monitor = "val/loss"
    scores = ("loss", "share")
    without_head = True
    unlearnt = ("head.", "readout.")

    def __init__(
        self,
        network: VideoTransformerConfig | NetworkConfig,
        mask: Mask,
        optimizer: OptimizerCallable = torch.optim.AdamW,
        schedule: Schedule = Constant(),  # noqa: B008  (frozen)
        normalization: Normalization | None = None,
        weights: str | None = None,
        normalize_patches: bool = True,
    ) -> None:
        if normalization is None and weights is None:
            normalization = "imagenet"
        check_paintable(network, mask)
        self._beside: dict[str, Tensor] = {}
        super().__init__(network, optimizer, schedule, normalization, weights)
        self.mask = mask
        self.normalize_patches = normalize_patches
        for part in (self.network.readout, self.network.head):
            part.requires_grad_(False)
        self.val_spread, self.test_spread = Spread(self.network.num_features), Spread(self.network.num_features)
        self.val_means, self.test_means = (Means(["loss", "share"]) for _ in range(2))

    def take_over(self, loaded: Pretrained) -> None:
        """Keep what the weights hold beside the network until the parts are there that it belongs to."""
        self._beside = loaded.beside

    def take_beside(self) -> None:
        """Fill all parts but the network from the weights, where those hold them; a subclass calls it at its end."""
        beside, self._beside = self._beside, {}
        own = {name: value for name, value in self.state_dict().items() if not name.startswith("network.")}
        if all(name in beside and beside[name].shape == value.shape for name, value in own.items()):
            self.load_state_dict({**self.state_dict(), **{name: beside[name] for name in own}})
        elif beside:
            other = [name for name in own if name not in beside or beside[name].shape != own[name].shape]
            rank_zero_info(
                f"what paints hidden patches starts fresh: the weights hold another ({other[0]} is "
                f"{'not there' if other[0] not in beside else tuple(beside[other[0]].shape)}, "
                f"wanted {tuple(own[other[0]].shape)})"
            )

    def configure_callbacks(self) -> list[pl.Callback]:
        """Beside those of every task, a picture an epoch."""
        before: list[pl.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        drawn = any(isinstance(callback, Reconstructions) for callback in before)
        return [*super().configure_callbacks(), *([] if drawn else [Reconstructions()])]

    @abstractmethod
    def seen(self, keep: Kept, grid: Grid) -> Kept:
        """What the network is given of a clip of which `keep` was drawn."""

    @abstractmethod
    def paint(self, features: Features, keep: Kept, grid: Grid) -> Tensor:
        """The hidden patches, `(B, M - m, n)`, from what the network made of the clip."""

    @abstractmethod
    def error(self, painted: Tensor, wanted: Tensor) -> Tensor:
        """The loss, of `(B, M - m, n)` both; a scalar."""

    @abstractmethod
    def macs(self, frames: int, height: int, width: int) -> tuple[Macs, Macs]:
        """Cost of painting one clip, forward: that of the network on what it sees, and that of what paints the rest."""

    def forward(self, video: Tensor, keep: Kept) -> Painted:
        """uint8 clips `(B, 3, T, H, W)` of which `keep` is seen -> what is painted, and what was wanted."""
        grid = self.config.grid(*video.shape[2:])
        keep = replace(keep, places=keep.places.to(video.device))
        features = self.network.features(self.normalize(video), self.seen(keep, grid), normalized=True)
        with torch.no_grad():
            wanted = rows_at(patches_of(video, grid), keep.hidden(grid)).float() / 255
            if self.normalize_patches:
                mean, deviation = patch_statistics(wanted)
                wanted = ((wanted.unflatten(2, (-1, 3)) - mean) / deviation).flatten(2)
        return Painted(self.paint(features, keep, grid), wanted, keep, grid, features)

    def pixels(self, painted: Painted, video: Tensor) -> Tensor:
        """What was painted as clips `(B, 3, T, H, W)` from 0 to 1, the rest as it was: normalised patches are put back
        to the mean and deviation that they had, as in VideoMAE's own pictures."""
        whole = patches_of(video.float() / 255, painted.grid)
        places = painted.keep.hidden(painted.grid)[:, :, None]
        patches = painted.patches.float()
        if self.normalize_patches:
            mean, deviation = patch_statistics(rows_at(whole, painted.keep.hidden(painted.grid)))
            patches = (patches.unflatten(2, (-1, 3)) * deviation + mean).flatten(2)
        whole = whole.scatter(1, places.expand_as(patches), patches)
        return video_of(whole, painted.grid, *video.shape[2:])

    def draw(self, batch: Batch, epoch: int) -> Kept:
        """What is seen of each clip of the batch in this epoch; -1 for that of all evaluations."""
        seed = getattr(getattr(self.trainer, "datamodule", None), "seed", 0)
        clips = zip(batch["video_id"].tolist(), batch["view"].tolist(), strict=True)
        seeds = [stable_seed(seed, epoch + 1, video, view) for video, view in clips]
        return self.mask.keep(self.config.grid(*batch["video"].shape[2:]), seeds)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The error on what was hidden.

        Raises:
            NotFiniteError: it is not finite; the message names the step and the clips.
        """
        painted = self(batch["video"], self.draw(batch, self.current_epoch))
        loss = self.error(painted.patches.float(), painted.wanted)
        self.check_finite(loss, batch["path"])
        self.log("train/loss", loss, on_step=True, on_epoch=True, prog_bar=True, batch_size=len(painted.wanted),
                 sync_dist=True)  # fmt: skip
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Count the batch in `val/loss`, `val/share`, `val/spread`."""
        self._evaluate(batch, self.val_means, self.val_spread)

    def on_validation_epoch_end(self) -> None:
        """Log them."""
        log_means(self, "val", self.val_means, self.val_spread)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Count the batch in `test/loss`, `test/share`, `test/spread`."""
        self._evaluate(batch, self.test_means, self.test_spread)

    def on_test_epoch_end(self) -> None:
        """Log them."""
        log_means(self, "test", self.test_means, self.test_spread)

    def _evaluate(self, batch: Batch, means: Means, spread: Spread) -> None:
        """The loss; its share of the loss of who paints every patch in the mean of the wanted ones (1 is that nothing
        was learnt); and how far clips lie apart (0 is a collapse: all clips look alike to the network)."""
        if not len(batch["video"]):
            return
        painted = self(batch["video"], self.draw(batch, -1))
        loss = self.error(painted.patches.float(), painted.wanted)
        blind = self.error(painted.wanted.mean((0, 1)).expand_as(painted.wanted), painted.wanted)
        spread.update(painted.features.video.float().mean((1, 2, 3)))
        means.update(len(painted.wanted), [loss, loss / blind])


def check_paintable(config: NetworkConfig, mask: Mask) -> None:
    """
    Raises:
        ValueError: the network does not lay out its tokens as a map of patches, so that nobody can tell which pixels a
            token stands for; or the mask leaves nothing of its clips, or everything.
    """
    whole = config.native_grid
    mask.keep(whole, [0])
    with torch.device("meta"):
        found = config.build().features(torch.empty(1, 3, config.num_frames, *config.size)).grid
    if found.sides() != whole.sides():
        raise Mistake(
            f"attention={config.title!r} hands on {'x'.join(map(str, found.sides()))} tokens of a clip of "
            f"{'x'.join(map(str, whole.sides()))}, so that hidden patches have no token to be painted from; take a "
            "network of one stage, such as joint, divided or space"
        )
