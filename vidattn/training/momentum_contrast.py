"""Pre-training by contrast: two views of a video are told to be one among those of other videos."""

import copy
import math
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn

from vidattn.checks import check_above_zero, check_positive
from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.contrast_heads import perceptron
from vidattn.models.network import Network, NetworkConfig
from vidattn.models.normalize import Normalization
from vidattn.training.length import length_in_epochs
from vidattn.training.means import Means, log_means
from vidattn.training.module import Batch, VideoModule
from vidattn.training.schedule import Constant, Schedule
from vidattn.training.spread import Spread


class MomentumContrast(VideoModule):
    """Each view's vector must be nearest to that of the other view of its video, among those of all videos in the batch
    of all processes; the others come from a slowly following copy of the network.

    MoCo v3, https://arxiv.org/abs/2104.02057, algorithm 1 and section 4: symmetric InfoNCE, a projector of three layers
    and a predictor of two with batch normalisation, a frozen random patch embedding, and a momentum that rises to 1 by
    half a cosine. For video, https://arxiv.org/abs/2104.14558: two clips of a video are a pair
    (`data.loading.clips_per_video: 2`); with `crops_per_clip: 2` in its place, two crops of one clip.

    The network's head takes no part. In evaluation (`data.views.num_val_clips: 2`) the pairs are the first two views of
    each video, among the videos of one batch of one process.

    Args:
        network: see `VideoModule`, as for the others.
        width: of the vectors that are compared.
        hidden: width within projector and predictor.
        temperature: T of the softmax over the batch.
        momentum: how much of the copy stays at each step of the optimizer, at first.
        freeze_patches: keep the patch embedding as it was drawn or loaded, for steadiness (section 4.2).
        optimizer: makes an optimizer from parameter groups.
        schedule: learning rate over the epochs.
        normalization: mean and std of the network's input, by name.
        weights: what to start from.

    Raises:
        ValueError: a number is out of range.
    """

    scores = ("loss", "spread")
    without_head = True
    unlearnt = ("head.",)

    def __init__(
        self,
        network: VideoTransformerConfig | NetworkConfig,
        width: int = 256,
        hidden: int = 4096,
        temperature: float = 0.2,
        momentum: float = 0.99,
        freeze_patches: bool = True,
        optimizer: OptimizerCallable = torch.optim.AdamW,
        schedule: Schedule = Constant(),  # noqa: B008  (frozen)
        normalization: Normalization | None = None,
        weights: str | None = None,
    ) -> None:
        check_positive(width=width, hidden=hidden)
        check_above_zero(temperature=temperature)
        if not 0 <= momentum <= 1:
            raise Mistake(f"momentum={momentum} must lie between 0 (the copy is the network) and 1 (it never moves)")
        if normalization is None and weights is None:
            normalization = "imagenet"
        super().__init__(network, optimizer, schedule, normalization, weights)
        self.temperature, self.momentum = temperature, momentum
        self.network.head.requires_grad_(False)
        if freeze_patches and (patch := getattr(self.network, "patch", None)) is not None:
            patch.requires_grad_(False)
        self.projector = perceptron(self.network.num_features, hidden, width, 3)
        self.predictor = perceptron(width, hidden, width, 2)
        self.slow_network: Network = copy.deepcopy(self.network)
        self.slow_projector = copy.deepcopy(self.projector)
        for part in (self.slow_network, self.slow_projector):
            part.requires_grad_(False)
        self.val_spread, self.test_spread = Spread(width), Spread(width)
        self.val_means, self.test_means = (Means(["loss"]) for _ in range(2))
        self._followed = -1  # the step at which the copy was moved last

    @property
    def sharded(self) -> list[nn.Module]:
        """The network and its copy, in the same pieces."""
        return [self.network, self.slow_network]

    def setup(self, stage: str) -> None:
        """Check that there are pairs.

        Raises:
            ValueError: a video has another number of views than two, or there is no second video.
        """
        super().setup(stage)
        if (data := getattr(self.trainer, "datamodule", None)) is not None:
            check_pairs(data, stage, self.trainer.world_size)

    def vectors(self, network: Network, projector: nn.Module, video: Tensor) -> Tensor:
        """uint8 clips `(B, 3, T, H, W)` -> `(B, width)`."""
        return projector(network.read(network.features(self.normalize(video))))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """The symmetric loss of views `(B, 3, T, H, W)`, of which those in the same row are a pair; a scalar."""
        return self.loss_and_keys(first, second)[0]

    def loss_and_keys(self, first: Tensor, second: Tensor, gather: bool = True) -> tuple[Tensor, Tensor]:
        """The symmetric loss, see `forward`, and the copy's vectors of the first views, `(B, width)`.

        Args:
            first: uint8 clips `(B, 3, T, H, W)`.
            second: likewise, the other view of each.
            gather: among the videos of all processes; else of this one alone.
        """
        queries = [self.predictor(self.vectors(self.network, self.projector, view)) for view in (first, second)]
        with torch.no_grad():
            keys = [self.vectors(self.slow_network, self.slow_projector, view) for view in (first, second)]
        losses = [contrast(queries[i], keys[1 - i], self.temperature, gather) for i in range(2)]
        return losses[0] + losses[1], keys[0]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The symmetric loss; the copy has followed the network's last step before.

        Raises:
            NotFiniteError: the loss is not finite; the message names the step and the clips.
        """
        if self.global_step != self._followed:  # not again while gradients are accumulated
            self.follow(self.current_epoch + batch_idx / self.trainer.num_training_batches)
            self._followed = self.global_step
        first, second = pairs(batch)
        loss = self(first, second)
        self.check_finite(loss, batch["path"])
        self.log("train/loss", loss, on_step=True, on_epoch=True, prog_bar=True, batch_size=len(first), sync_dist=True)
        return loss

    @torch.no_grad()
    def follow(self, epoch: float) -> None:
        """Move the copy towards the network, by less and less over the epochs."""
        share = self.momentum_at(epoch, length_in_epochs(self.trainer))
        for slow, fast in ((self.slow_network, self.network), (self.slow_projector, self.projector)):
            for theirs, ours in zip(slow.parameters(), fast.parameters(), strict=True):
                theirs.lerp_(ours, 1 - share)

    def momentum_at(self, epoch: float, max_epochs: float) -> float:
        """`1 - (1 - momentum) (1 + cos(pi epoch / max_epochs)) / 2`."""
        return 1 - (1 - self.momentum) * (1 + math.cos(math.pi * min(epoch / max_epochs, 1.0))) / 2

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Count the batch in `val/loss`, `val/spread`."""
        self._evaluate(batch, self.val_means, self.val_spread)

    def on_validation_epoch_end(self) -> None:
        """Log them."""
        log_means(self, "val", self.val_means, self.val_spread)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Count the batch in `test/loss`, `test/spread`."""
        self._evaluate(batch, self.test_means, self.test_spread)

    def on_test_epoch_end(self) -> None:
        """Log them."""
        log_means(self, "test", self.test_means, self.test_spread)

    def _evaluate(self, batch: Batch, means: Means, spread: Spread) -> None:
        """The loss among the batch's videos, and how far the vectors of all videos lie apart, each of length 1: 0 is a
        collapse, 1 / sqrt(width) the most that there can be."""
        first, second = pairs(batch)
        if not len(first):
            return
        loss, keys = self.loss_and_keys(first, second, gather=False)
        spread.update(F.normalize(keys.float(), dim=1))
        means.update(len(first), [loss])


def contrast(queries: Tensor, keys: Tensor, temperature: float, gather: bool = True) -> Tensor:
    """InfoNCE of queries `(B, D)` with the keys `(B, D)` of all processes, times `2 T`, as MoCo v3 scales it.

    Args:
        queries: of this process.
        keys: of this process, that in the same row belongs to the query; without gradient.
        temperature: T.
        gather: whether there are keys of other processes to be told apart from; each has as many.
    """
    precise = torch.promote_types(queries.dtype, torch.float32)
    queries, keys = F.normalize(queries.to(precise), dim=1), F.normalize(keys.to(precise), dim=1)
    start = 0
    if gather and dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        all_keys = [torch.empty_like(keys) for _ in range(dist.get_world_size())]
        dist.all_gather(all_keys, keys.contiguous())
        start, keys = dist.get_rank() * len(keys), torch.cat(all_keys)
    own = torch.arange(len(queries), device=queries.device) + start
    return 2 * temperature * F.cross_entropy(queries @ keys.T / temperature, own)


def pairs(batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """The first and the second view of each video in the batch."""
    return batch["video"][batch["view"] == 0], batch["video"][batch["view"] == 1]


def check_pairs(data: Any, stage: str, processes: int) -> None:
    """
    Raises:
        ValueError: in training a video has another number of views than two, in evaluation fewer; or a batch holds one
            video alone, with nothing to tell it apart from.
    """
    if stage == "fit":
        if data.loading.views_per_video != 2:
            raise Mistake(
                f"contrast needs two views of each video, and there are clips_per_video={data.loading.clips_per_video} "
                f"x crops_per_clip={data.loading.crops_per_clip}; set data.loading.clips_per_video to 2 (two clips of "
                "a video are a pair), or crops_per_clip (two crops of a clip are)"
            )
        videos = min(data.loading.videos_per_batch * processes, data.num_videos("train"))
        if videos < 2:
            raise Mistake(
                f"contrast tells the videos of a batch apart, and there is only one in it (data.train has "
                f"{data.num_videos('train')}, data.batch_size={data.loading.batch_size} holds two views of each); give "
                "more videos, or a larger batch"
            )
    split = {"fit": "val", "validate": "val", "test": "test"}.get(stage)
    views = data.views
    counts = {"val": views.num_val_clips * views.num_val_crops, "test": views.num_test_clips * views.num_test_crops}
    if split is not None and data.sources[split] and counts[split] < 2:
        raise Mistake(
            f"contrast needs two views of each video, and data.{split} gives one; set data.views.num_{split}_clips to 2"
        )
