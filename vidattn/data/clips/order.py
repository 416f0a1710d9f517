"""In which order videos are visited, and by which process."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, DistributedSampler

from vidattn.mistakes import Mistake

Order = Callable[[torch.Generator], list[int]]
"""Draws an order of the numbers of all videos; some may come several times, and others not at all."""


class EpochSampler(DistributedSampler[tuple[int, ...]]):
    """Training order: yields `(epoch, index)`, every video once per epoch, in an order that (seed, epoch) decides.

    Where the order holds a video several times, later places are `(epoch, index, 1)`, `(epoch, index, 2)` and so on, so
    that other clips are drawn.

    Process `rank` of `world_size` takes every `world_size`-th place of one common order. So step b of a run with
    `world_size` processes and a batch of B each sees the same videos as step b of one process with B * world_size.
    Every process gets as many videos: the few left over are left out (`drop_last`) or filled up from the beginning.

    A `DistributedSampler`, so that Lightning calls `set_epoch` and wraps no other sampler around it.

    Args:
        num_videos: videos in the training set.
        world_size: number of processes.
        rank: this process, from 0.
        seed: decides the order, together with the epoch.
        drop_last: leave out the videos that do not fill a round of all processes.
        order: the common order; any permutation is as likely by default.
    """

    def __init__(
        self,
        num_videos: int,
        world_size: int = 1,
        rank: int = 0,
        seed: int = 0,
        drop_last: bool = True,
        order: Order | None = None,
    ) -> None:
        super().__init__(range(num_videos), world_size, rank, seed=seed)  # type: ignore[arg-type]
        self.num_videos = num_videos
        rounds, left_over = divmod(num_videos, world_size)
        self.num_samples = rounds if drop_last else rounds + (left_over > 0)
        self.order = order or self._any_order
        self.skip = 0  # videos of this process that a resumed epoch has already seen

    @property
    def common_order(self) -> list[int]:
        """The videos of all processes in this epoch, in their order."""
        return self.order(torch.Generator().manual_seed(stable_seed(self.seed, self.epoch)))

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        visits: Counter[int] = Counter()
        order: list[tuple[int, ...]] = []
        for index in self.common_order:
            order.append((index, visits[index]) if visits[index] else (index,))
            visits[index] += 1
        places = range(self.rank, self.num_samples * self.num_replicas, self.num_replicas)
        for place in places[self.skip :]:
            yield self.epoch, *order[place % self.num_videos]

    def _any_order(self, generator: torch.Generator) -> list[int]:
        return torch.randperm(self.num_videos, generator=generator).tolist()


class OnceEachSampler(DistributedSampler[int]):
    """Evaluation order: every video exactly once over all processes, so that metrics count none twice.

    The plain `DistributedSampler` repeats videos until all processes have as many; here some may have one less.

    Args:
        num_videos: videos in the set.
        world_size: number of processes.
        rank: this process, from 0.
    """

    def __init__(self, num_videos: int, world_size: int = 1, rank: int = 0) -> None:
        super().__init__(range(num_videos), world_size, rank)  # type: ignore[arg-type]
        self.places = range(rank, num_videos, world_size)

    def __iter__(self) -> Iterator[int]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


class ResumableLoader(DataLoader):
    """A `DataLoader` over an `EpochSampler` that goes on in the middle of an epoch where its checkpoint was written.

    Lightning stores `state_dict` in the checkpoint of the training loop. A batch counts when it is handed out, however
    far ahead the workers are; the epoch is stored too, so a checkpoint of a finished epoch skips nothing in the next.
    """

    handed_out = 0
    resume: dict[str, int] | None = None

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """
        Raises:
            ValueError: it would go on within an epoch, but the batches behind it were of another size or order.
        """
        # A generator: nothing is drawn before the first batch is asked for. Lightning makes the iterator before it
        # sets the epoch, and workers would by then have fetched the batches of epoch 0.
        sampler = self.sampler
        first = 0
        if isinstance(sampler, EpochSampler):
            if self.resume is not None and self.resume["epoch"] == sampler.epoch:
                first = self.resume["batches"]
                if first:
                    _check_same_epoch(self.resume, self._epoch(sampler))
            sampler.skip = first * (self.batch_size or 1)
        self.resume = None
        self.handed_out = first
        for batch in super().__iter__():
            self.handed_out += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """`epoch`, how many `batches` of it were handed out, and what tells whether they would be the same again:
        videos in a `step` of all processes, and a number for the `order`."""
        sampler = self.sampler
        epoch = self._epoch(sampler) if isinstance(sampler, EpochSampler) else {"epoch": 0}
        return epoch | {"batches": self.handed_out}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """The next iteration starts after these batches, if it is of that epoch."""
        self.resume = state
        self.handed_out = state["batches"]

    def _epoch(self, sampler: EpochSampler) -> dict[str, int]:
        step = (self.batch_size or 1) * sampler.num_replicas
        return {"epoch": sampler.epoch, "step": step, "order": stable_seed(*sampler.common_order)}


def _check_same_epoch(saved: dict[str, int], now: dict[str, int]) -> None:
    """Lightning counts batches: with others, videos would be left out or come twice."""
    where = f"the checkpoint was written within epoch {saved['epoch']}, after {saved['batches']} steps"
    way_out = "or resume from a checkpoint that was written at the end of an epoch"
    if saved.get("step", now["step"]) != now["step"]:  # older checkpoints do not tell
        raise Mistake(
            f"{where} of {saved['step']} videos, and now a step has {now['step']}, so that videos of this epoch would "
            f"be lost; set data.batch_size, data.clips_per_video and trainer.devices as they were, {way_out}"
        )
    if saved.get("order", now["order"]) != now["order"]:
        raise Mistake(
            f"{where}, and now the videos come in another order, so that some of this epoch would be lost; set "
            "data.train, data.seed, data.balance, data.shuffle_buffer (with shards, trainer.devices too) as they were, "
            f"{way_out}"
        )


def stable_seed(*numbers: int) -> int:
    """One seed out of several numbers; the same in every process and run, and unrelated for neighbours.

    (Not their sum: epoch 1 of seed 0 would be epoch 0 of seed 1.)

    >>> stable_seed(0, 1) == stable_seed(0, 1), stable_seed(0, 1) == stable_seed(1, 0)
    (True, False)
    """
    digest = hashlib.blake2b(",".join(map(str, numbers)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1  # within int64
