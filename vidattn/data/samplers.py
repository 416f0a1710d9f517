"""In which order videos are visited, and by which process."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, DistributedSampler

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

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        generator = torch.Generator().manual_seed(stable_seed(self.seed, self.epoch))
        visits: Counter[int] = Counter()
        order: list[tuple[int, ...]] = []
        for index in self.order(generator):
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
        # A generator: nothing is drawn before the first batch is asked for. Lightning makes the iterator before it
        # sets the epoch, and workers would by then have fetched the batches of epoch 0.
        sampler = self.sampler
        first = 0
        if isinstance(sampler, EpochSampler):
            if self.resume is not None and self.resume["epoch"] == sampler.epoch:
                first = self.resume["batches"]
            sampler.skip = first * (self.batch_size or 1)
        self.resume = None
        self.handed_out = first
        for batch in super().__iter__():
            self.handed_out += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """`epoch`, and how many `batches` of it were handed out."""
        return {"epoch": getattr(self.sampler, "epoch", 0), "batches": self.handed_out}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """The next iteration starts after these batches, if it is of that epoch."""
        self.resume = state
        self.handed_out = state["batches"]


def stable_seed(*numbers: int) -> int:
    """One seed out of several numbers; the same in every process and run, and unrelated for neighbours.

    (Not their sum: epoch 1 of seed 0 would be epoch 0 of seed 1.)

    >>> stable_seed(0, 1) == stable_seed(0, 1), stable_seed(0, 1) == stable_seed(1, 0)
    (True, False)
    """
    digest = hashlib.blake2b(",".join(map(str, numbers)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1  # within int64
