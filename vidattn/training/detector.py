"""Who does what, where: detection of actions by set prediction."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.utilities.rank_zero import rank_zero_info, rank_zero_warn
from torch import Tensor, nn

from vidattn.checkpoints.pretrained import Pretrained
from vidattn.data.clips.order import stable_seed
from vidattn.data.videos.splits import Split
from vidattn.detection.found import FrameBoxes
from vidattn.detection.frame_map import frame_map
from vidattn.detection.scores import DetectionScores
from vidattn.macs import Macs
from vidattn.mistakes import Mistake
from vidattn.models.actions import Actions, OneAction, Ratio
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.network import NetworkConfig
from vidattn.models.normalize import Normalization
from vidattn.models.plain_parts import plain
from vidattn.models.query_decoder import Given, Queries
from vidattn.models.tubes import Detections, asked_frames, on_each_frame
from vidattn.training.denoising import Denoising, given_people, known_people
from vidattn.training.detection_loss import TERMS, detection_terms, over_processes, weighed
from vidattn.training.detection_report import detection_report
from vidattn.training.found_people import FoundPeople, LossSums
from vidattn.training.label_agreement import check_count
from vidattn.training.matching import BoxWeights, Targets, match
from vidattn.training.module import Batch, VideoModule
from vidattn.training.parameter_groups import OneRate, ParameterGroups
from vidattn.training.report import Report
from vidattn.training.schedule import Constant, Schedule

Terms = dict[str, list[Ratio]]


class ActionDetector(VideoModule):
    """A network and a decoder whose queries find people, their boxes and their actions; no suppression afterwards.

    DETR, https://arxiv.org/abs/2005.12872, for clips, as in TubeR, https://arxiv.org/abs/2104.00969: each query says a
    box on each asked frame, and what goes on in it or that it is nobody. Each person is matched to the query that
    costs least, and the loss is that of all layers. The network's read-out and head take no part. For data with boxes
    (`data.boxes`).

    Args:
        network: see `VideoModule`, as for the others; `num_classes` is the number of actions.
        queries: what the decoder is made of, and on how many frames boxes are asked.
        actions: one action a person, or several (`vidattn.models.SeveralActions`).
        box_weights: of the costs of a match and of the parts of the loss.
        denoising: true boxes with noise that run beside the queries; without them it does not learn to name the
            actions of boxes that are given. None for none.
        optimizer: makes an optimizer from parameter groups.
        schedule: learning rate over the epochs.
        normalization: mean and std of the pixels, by name.
        weights: what to start from; of another detector its decoder as well, where that has the same numbers.
        groups: which parameters decay, and which learn more slowly.
    """

    monitor = "val/frame_map"
    monitor_mode: Literal["min", "max"] = "max"
    scores = ("frame_map", "given_map", "loss", *TERMS)
    without_head = True
    unlearnt = ("head.", "readout.")
    instead: ClassVar[Mapping[str, str]] = {
        "predict_step": "vidattn predict LIST --weights RUN --out FILE answers for a detector"
    }

    def __init__(
        self,
        network: VideoTransformerConfig | NetworkConfig,
        queries: Queries = Queries(),  # noqa: B008  (frozen)
        actions: Actions = OneAction(),  # noqa: B008  (frozen)
        box_weights: BoxWeights = BoxWeights(),  # noqa: B008  (frozen)
        denoising: Denoising | None = Denoising(),  # noqa: B008  (frozen)
        optimizer: OptimizerCallable = torch.optim.AdamW,
        schedule: Schedule = Constant(),  # noqa: B008  (frozen)
        normalization: Normalization | None = None,
        weights: str | None = None,
        groups: ParameterGroups = OneRate(),  # noqa: B008  (frozen)
    ) -> None:
        asked_frames(network.num_frames, queries.num_boxes)
        self._beside: dict[str, Tensor] = {}
        super().__init__(network, optimizer, schedule, normalization, weights, groups=groups)
        self.queries, self.actions, self.box_weights, self.denoising = queries, actions, box_weights, denoising
        self.decoder = queries.build(self.network.num_features, network.num_classes)
        self.decoder.recompute = network.gradient_checkpointing
        self.decoder.given_content.requires_grad_(denoising is not None)
        for part in (self.network.readout, self.network.head):
            part.requires_grad_(False)
        if self._beside:
            take_decoder(self.decoder, self._beside)
            self._beside = {}
        self.loss_sums, self.found, self.named = LossSums(TERMS), *(FoundPeople(network.num_classes) for _ in range(2))
        self.test_scores: DetectionScores | None = None
        self._told_of_crowds = False

    def take_over(self, loaded: Pretrained) -> None:
        """Keep what the weights hold beside the network until there is a decoder."""
        self._beside = loaded.beside

    @property
    def multi_label(self) -> bool:
        """Whether a person may do several things."""
        return self.actions.several

    @property
    def sharded(self) -> list[nn.Module]:
        """The network and its decoder."""
        return [self.network, self.decoder]

    @property
    def answering(self) -> list[nn.Module]:
        """The same."""
        return self.sharded

    def answer_macs(self, frames: int, height: int, width: int) -> int:
        """Those of both."""
        return sum(part.total for part in self.macs(frames, height, width))

    def forward(self, video: Tensor, given: Given | None = None) -> tuple[Detections, Detections]:
        """What is found in uint8 clips `(B, 3, T, S, S)`, and what is said of the boxes that are given."""
        features = self.network.features(self.normalize(video), normalized=True)
        return self.decoder(features, video.shape[2], given)

    def macs(self, frames: int, height: int, width: int) -> tuple[Macs, Macs]:
        """Cost of one clip: that of the network, and that of the decoder without given boxes."""
        stages = self.network.layout(frames, height, width)
        return self.network.features_macs(frames, height, width), self.decoder.macs(stages[-1].grids()[-1])

    def setup(self, stage: str) -> None:
        """Say which frames are answered for, and check the data's classes.

        Raises:
            ValueError: the data has no boxes, other classes than the network, or clips too short.
        """
        data = getattr(self.trainer, "datamodule", None)
        if data is not None:
            if getattr(data, "boxes", None) is None and data.target is None:
                raise Mistake("ActionDetector learns from boxes, and the data has none; set data.boxes.file to a list")
            check_asked(data, self.queries.num_boxes)
            data.asked = asked_frames(data.sampling.num_frames, self.queries.num_boxes)
            check_count(data, self.config.num_classes)
        super().setup(stage)
        if data is not None and stage != "predict":
            self.class_names = list(data.class_names)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of the batch.

        Raises:
            NotFiniteError: it is not finite; the message names the step and the clips.
        """
        targets = self.targets(batch)
        given = None if self.denoising is None else self.denoising.draw(targets, self._seeds(batch))
        found, said = self(batch["video"], given)
        terms, named = self.terms(found, targets), {}
        if given is not None:
            named = detection_terms(*known_people(said, given, targets), self.actions)
        shared = over_processes({**terms, **{f"given_{name}": part for name, part in named.items()}})
        parts = weighed({name: shared[name] for name in terms}, self.box_weights)
        total = sum(parts.values(), torch.zeros((), device=self.device))
        if named:
            total = total + sum(weighed({name: shared[f"given_{name}"] for name in named}, self.box_weights).values())
        self.check_finite(total, batch["path"])
        over_all: dict[str, Any] = {"on_epoch": True, "batch_size": len(batch["video"]), "sync_dist": True}
        self.log("train/loss", total, on_step=True, prog_bar=True, **over_all)
        self.log_dict({f"train/{name}": part for name, part in parts.items()}, on_step=False, **over_all)
        return total

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add what is found to `val/frame_map`, and how far off it is to `val/loss`."""
        self._evaluate(batch)

    def on_validation_epoch_end(self) -> None:
        """Log `val/frame_map`, `val/loss` and its parts."""
        self._log_scores("val")

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Likewise, `test/frame_map` and so on."""
        self._evaluate(batch)

    def on_test_epoch_end(self) -> None:
        """Log them."""
        self._log_scores("test")

    def targets(self, batch: Batch) -> Targets:
        """Who is to be found in the batch; says once where there are more people than queries."""
        clips = batch["video"]
        targets = Targets.of(
            batch["people"], clips.shape[2], self.queries.num_boxes, self.config.num_classes, clips.device
        )
        most, count = targets.there.shape[1], self.queries.num_queries
        if most > count and not self._told_of_crowds:
            self._told_of_crowds = True
            rank_zero_warn(
                f"a clip has {most} people and the decoder {count} queries, so that {most - count} of them cannot be "
                f"found; set model.queries.num_queries to {most} or more (said once)"
            )
        if not self.actions.several and bool((targets.actions.sum(-1) > 1).any()):
            several = int(targets.actions.sum(-1).max())
            raise Mistake(
                f"a person has {several} actions at once, and model.actions is {type(self.actions).__name__}; set it "
                "to vidattn.models.SeveralActions"
            )
        return targets

    def terms(self, found: Detections, targets: Targets) -> Terms:
        """The parts of the loss of what the queries have found."""
        of_query = match(found, targets, self.actions, self.box_weights)
        return detection_terms(found, targets, of_query, self.actions)

    def _seeds(self, batch: Batch) -> list[int]:
        """Of each clip, its own: whoever draws and whatever else is in the batch."""
        seed = getattr(getattr(self.trainer, "datamodule", None), "seed", 0)
        clips = zip(batch["video_id"].tolist(), batch["view"].tolist(), strict=True)
        return [stable_seed(seed, self.current_epoch, video, view) for video, view in clips]

    def _evaluate(self, batch: Batch) -> None:
        if not len(batch["video"]):
            return
        targets = self.targets(batch)
        given = None if self.denoising is None else given_people(targets)
        found, said = self(batch["video"], given)
        self.loss_sums.update(self.terms(found, targets))
        frames = batch["frames"][:, asked_frames(batch["video"].shape[2], self.queries.num_boxes)]
        self.found.update(*on_each_frame(found, self.actions.scores(found.logits[-1])), batch["video_id"], frames)
        if given is not None:
            scores = self.actions.scores_of_given(said.logits[-1]) * (given.group >= 0)[..., None]
            as_given = said._replace(boxes=given.boxes[None])
            self.named.update(*on_each_frame(as_given, scores), batch["video_id"], frames)

    def _log_scores(self, split: Split) -> None:
        count, device = self.queries.num_boxes, self.device
        empty = torch.zeros(0, 0, count, 4, device=device), torch.zeros(0, 0, count, self.config.num_classes).to(device)
        none = torch.zeros(0, dtype=torch.int64, device=device), torch.zeros(0, count, dtype=torch.int64, device=device)
        for metric in (self.found, self.named):
            metric.update(*empty, *none)  # also a process that has seen nothing has something to hand on
        parts = weighed(self.loss_sums.compute(), self.box_weights)
        found = dict(parts)
        if parts:
            found["loss"] = torch.stack(list(parts.values())).sum()
        data: Any = getattr(self.trainer, "datamodule", None)
        for name, metric in (("frame_map", self.found), ("given_map", self.named)):
            frames = metric.compute()
            if frames and getattr(data, "boxes", None) is not None:
                answers, truth = self.named_frames(split, frames), data.truth(split)
                if name == "frame_map" and split == "test":
                    self.test_scores = DetectionScores.of(answers, truth)
                found[name] = torch.tensor(frame_map(answers, truth).mean, device=device)
            metric.reset()
        self.loss_sums.reset()
        for name, value in found.items():
            # The same in all processes already; the mean over them keeps Lightning from warning that it may not be.
            self.log(f"{split}/{name}", value.float(), prog_bar=name == "frame_map", sync_dist=True)

    def named_frames(self, split: Split, frames: Sequence[FrameBoxes]) -> list[FrameBoxes]:
        """The same frames, each with the path of its video in place of its number."""
        videos = self.trainer.datamodule.manifest(split).videos  # type: ignore[attr-defined]
        return [frame._replace(video=videos[int(frame.video)].path) for frame in frames]

    def report(self) -> Report:
        """Frame-mAP and video-mAP, recall of boxes, and how many frames were evaluated."""
        return detection_report(self.test_scores, super().report(), self.class_names)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Beside what every task writes, what the decoder is made of."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["vidattn"]["detector"] = {
            "queries": plain(self.queries),
            "actions": plain(self.actions),
            "names_given": self.denoising is not None,
        }


def check_asked(data: Any, num_boxes: int) -> None:
    """
    Raises:
        Mistake: boxes are asked on more frames of a clip than the lists know.
    """
    section = getattr(data.boxes, "section", None)
    if num_boxes > 1 and getattr(section, "key_frames", False):
        raise Mistake(
            f"data.boxes.key_frames: the lists know the middle frame of a clip alone, and model.queries.num_boxes="
            f"{num_boxes} asks on {num_boxes} of them; set it to 1"
        )


def take_decoder(decoder: nn.Module, beside: dict[str, Tensor]) -> None:
    """Fill a decoder from another detector's weights, as far as they have its shapes, and say what starts fresh."""
    theirs = {name.removeprefix("decoder."): value for name, value in beside.items() if name.startswith("decoder.")}
    own = decoder.state_dict()
    taken = {name: value for name, value in theirs.items() if name in own and own[name].shape == value.shape}
    decoder.load_state_dict({**own, **taken})
    if theirs and (fresh := sorted(own.keys() - taken.keys())):
        rank_zero_info(f"decoder: {len(taken)} of {len(own)} weights taken over; {', '.join(fresh)} start fresh")
