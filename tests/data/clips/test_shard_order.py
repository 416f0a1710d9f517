import pytest
import torch

from vidattn.data.clips.shard_order import ShardOrder
from vidattn.data.videos.manifest import Video

SIZES = (5, 7, 1, 12, 9)


def draw(order: ShardOrder, seed: int = 0) -> list[int]:
    return order(torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("world_size", [1, 2, 3])
@pytest.mark.parametrize("buffer", [1, 6, 1000])
def test_every_video_once(world_size, buffer):
    order = ShardOrder(SIZES, world_size, buffer)
    assert sorted(draw(order)) == list(range(34))
    assert draw(order) == draw(order)
    assert draw(order) != draw(order, seed=1)


def test_without_a_buffer_shards_come_whole_and_in_order():
    order = draw(ShardOrder(SIZES, buffer=1))
    starts = [0, 5, 12, 13, 25]
    whole = [list(range(start, start + size)) for start, size in zip(starts, SIZES, strict=True)]
    shards = []
    while order:
        shard = next(shard for shard in whole if shard[0] == order[0])
        assert order[: len(shard)] == shard
        order = order[len(shard) :]
        shards.append(shard)
    assert shards != whole


def test_the_buffer_mixes_neighbours_and_nobody_from_far_away():
    order = draw(ShardOrder((1000,), buffer=20))
    assert order != sorted(order)
    assert all(video < place + 20 for place, video in enumerate(order))  # it had to be in the buffer by then
    everywhere = draw(ShardOrder((1000,), buffer=1000))
    assert sum(video >= 500 for video in everywhere[:500]) > 200


def test_each_process_reads_shards_of_its_own():
    order = draw(ShardOrder((10,) * 8, world_size=2, buffer=5))
    first, second = ({video // 10 for video in order[rank::2]} for rank in range(2))
    assert len(first) == len(second) == 4
    assert not first & second


def test_sizes_are_counted_from_the_paths():
    videos = [Video(f"s3://b/{shard}.tar#0+10#{i}.mp4", 0) for shard, size in enumerate(SIZES) for i in range(size)]
    assert ShardOrder.of(videos, 2, 3) == ShardOrder(SIZES, 2, 3)
    assert ShardOrder.of([*videos, Video("a.mp4", 0)], 2, 3) is None
