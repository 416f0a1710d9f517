from itertools import chain

import pytest
import torch
from torch.utils.data import DataLoader

from vidattn.data.clips.order import EpochSampler, OnceEachSampler, ResumableLoader


class Echo(torch.utils.data.Dataset):
    """Returns the key it was asked for."""

    def __getitem__(self, key):
        return key


def batches(num_videos, batch_size, world_size, epoch, drop_last=True):
    """For each step, the videos that all processes see together."""
    ranks = []
    for rank in range(world_size):
        sampler = EpochSampler(num_videos, world_size, rank, seed=3, drop_last=drop_last)
        sampler.set_epoch(epoch)
        loader = DataLoader(Echo(), batch_size, sampler=sampler, drop_last=drop_last, collate_fn=list)
        assert len(loader) == len(list(loader))
        ranks.append(list(loader))
    return [sorted(chain.from_iterable(step)) for step in zip(*ranks, strict=True)]


@pytest.mark.parametrize("num_videos", [24, 29, 31])
@pytest.mark.parametrize("world_size", [2, 3, 4])
def test_every_step_sees_the_same_videos_however_many_processes_share_it(num_videos, world_size):
    assert batches(num_videos, 12 // world_size, world_size, epoch=2) == batches(num_videos, 12, 1, epoch=2)


def test_an_epoch_is_a_permutation_and_the_next_another():
    sampler = EpochSampler(50, seed=1)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)

    assert {epoch for epoch, _ in first} == {0}
    assert {epoch for epoch, _ in second} == {1}
    for epoch in [first, second]:
        assert sorted(index for _, index in epoch) == list(range(50))
    assert [index for _, index in first] != [index for _, index in second]


def test_neighbouring_seeds_and_epochs_have_orders_of_their_own():
    def order(seed, epoch):
        sampler = EpochSampler(50, seed=seed)
        sampler.set_epoch(epoch)
        return [index for _, index in sampler]

    assert order(0, 1) != order(1, 0)
    assert order(0, 1) == order(0, 1)


def test_keeping_the_tail_fills_up_so_that_processes_stay_in_step():
    ranks = [list(EpochSampler(5, 2, rank, drop_last=False)) for rank in range(2)]

    assert [len(rank) for rank in ranks] == [3, 3]
    assert {index for rank in ranks for _, index in rank} == set(range(5))


@pytest.mark.parametrize(("num_videos", "world_size"), [(10, 1), (10, 3), (2, 4)])
def test_evaluation_sees_every_video_exactly_once(num_videos, world_size):
    samplers = [OnceEachSampler(num_videos, world_size, rank) for rank in range(world_size)]

    assert sorted(index for sampler in samplers for index in sampler) == list(range(num_videos))
    assert [len(sampler) for sampler in samplers] == [len(list(sampler)) for sampler in samplers]


def resumable(num_workers=0, batch_size=4, num_videos=20, world_size=1, seed=5, order=None):
    return ResumableLoader(
        Echo(),
        batch_size=batch_size,
        sampler=EpochSampler(num_videos, world_size, seed=seed, order=order),
        collate_fn=list,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
    )


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_loader_goes_on_where_its_state_was_taken(num_workers):
    loader = resumable(num_workers)
    loader.sampler.set_epoch(3)
    whole = list(loader)
    running = iter(loader)
    for _ in range(2):
        next(running)
    state = loader.state_dict()

    restored = resumable(num_workers)
    restored.load_state_dict(state)
    restored.sampler.set_epoch(3)

    assert list(restored) == whole[2:]
    assert restored.state_dict() == loader.state_dict() | {"batches": 5}
    assert list(restored) == whole  # the skip is used once
    assert len(restored) == len(whole) == 5


def test_the_state_of_a_finished_epoch_skips_nothing_in_the_next():
    loader = resumable()
    list(loader)

    restored = resumable()
    restored.load_state_dict(loader.state_dict())
    restored.sampler.set_epoch(1)

    assert len(list(restored)) == 5


def within_an_epoch():
    loader = resumable()
    running = iter(loader)
    for _ in range(2):
        next(running)
    return loader.state_dict()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"batch_size": 8}, r"within epoch 0, after 2 steps of 4 videos, and now a step has 8, .*set data\.batch_size"),
        ({"world_size": 2}, r"a step has 8, .*trainer\.devices as they were"),
        ({"seed": 6}, r"in another order, .*data\.seed"),
        ({"num_videos": 21}, r"in another order, .*set data\.train"),
        ({"order": lambda _: list(range(20))}, r"in another order, .*data\.balance"),
    ],
)
def test_an_epoch_goes_on_only_with_the_batches_that_it_began_with(changed, message):
    restored = resumable(**changed)
    restored.load_state_dict(within_an_epoch())
    with pytest.raises(ValueError, match=message):
        next(iter(restored))

    restored.load_state_dict(within_an_epoch())
    restored.sampler.set_epoch(1)  # the next epoch may be another
    assert len(list(restored)) == len(restored)


def test_an_epoch_goes_on_in_more_processes_with_smaller_batches():
    restored = resumable(world_size=2, batch_size=2)
    restored.load_state_dict(within_an_epoch())

    assert [len(batch) for batch in restored] == [2] * 3


def test_the_epoch_may_be_set_after_the_iterator_is_made():
    # Lightning does so on resuming; a plain loader with workers has fetched epoch 0 by then.
    loader = resumable(num_workers=1)
    iterator = iter(loader)
    loader.sampler.set_epoch(7)

    assert {epoch for epoch, _ in next(iterator)} == {7}
