"""In which order videos come out of shards: as streaming through a shuffle buffer would give them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

import torch

from vidattn.data.videos.manifest import Video
from vidattn.data.videos.members import Member


@dataclass(frozen=True)
class ShardOrder:
    """An order of all videos in which neighbours lie near each other: whole shards in turn, mixed by a shuffle buffer.

    Shards are put in random order, one behind the other, and cut into a stretch of equal length for each process, so
    that a process reads shards of its own (two share the one at a cut, but no video). Each stretch then goes through
    the buffer: each place takes a random one of the `buffer` videos that would be waiting. An order of numbers only:
    nothing waits in memory, and a run resumes anywhere in it.

    As `EpochSampler` deals places out in turn, place `i * world_size + r` is the `i`-th of process r. The few videos
    that are left over when all have as many stand at the end.

    Args:
        sizes: videos in each shard, in the order of the list of videos.
        world_size: number of processes.
        buffer: how many videos wait; 1 keeps the order in the shards.
    """

    sizes: tuple[int, ...]
    world_size: int = 1
    buffer: int = 1000

    @classmethod
    def of(cls, videos: Sequence[Video], world_size: int, buffer: int) -> "ShardOrder | None":
        """For a list of videos that lie in shards, shard by shard; None where they are files of their own."""
        members = [Member.parse(video.path) for video in videos]
        shards = [member.shard for member in members if member is not None]
        if not shards or len(shards) < len(videos):
            return None
        return cls(tuple(len(list(group)) for _, group in groupby(shards)), world_size, buffer)

    def __call__(self, generator: torch.Generator) -> list[int]:
        """Every number below `sum(sizes)` once."""
        starts = [0, *accumulate(self.sizes)]
        shards = torch.randperm(len(self.sizes), generator=generator).tolist()
        videos = [video for shard in shards for video in range(starts[shard], starts[shard + 1])]
        each = len(videos) // self.world_size
        stretches = [
            self._mixed(videos[process * each : (process + 1) * each], generator) for process in range(self.world_size)
        ]
        dealt = [stretch[place] for place in range(each) for stretch in stretches]
        return dealt + videos[each * self.world_size :]

    def _mixed(self, videos: list[int], generator: torch.Generator) -> list[int]:
        """What comes out of the buffer when these go in."""
        draws = torch.rand(len(videos), generator=generator, dtype=torch.float64).tolist()
        waiting, coming = videos[: self.buffer], iter(videos[self.buffer :])
        mixed = []
        for draw in draws:
            place = int(draw * len(waiting))
            mixed.append(waiting[place])
            following = next(coming, None)
            if following is None:
                waiting[place] = waiting[-1]
                waiting.pop()
            else:
                waiting[place] = following
        return mixed
