"""One of two processes that train on shards, with two workers each, and resume: `test_shards.py` runs it."""

import sys
from types import SimpleNamespace

import torch
import torch.distributed as dist
from torchvision.transforms import v2

from vidattn.data.clips.sampling import StrideSampling
from vidattn.data.datamodule import VideoDataModule

SIZE = 64


def datamodule(source: str, **options) -> VideoDataModule:
    """Two clips a step, of the training videos."""
    defaults = {"train_transforms": [v2.RandomCrop(SIZE)], "batch_size": 2, "num_workers": 0, "image_size": SIZE}
    return VideoDataModule(StrideSampling(2, 1), train=source, **(defaults | options))


def see(source: str, address: str, resumed: int, rank: int) -> None:
    """Go through epoch 3, and once more from the step `resumed` on; the first process prints what both have seen."""
    dist.init_process_group("gloo", init_method=f"file://{address}", rank=rank, world_size=2)

    def loader():
        data = datamodule(source, num_workers=2, shuffle_buffer=4)
        data.trainer = SimpleNamespace(world_size=2, global_rank=rank)
        return data.train_dataloader()

    batches = loader()
    batches.sampler.set_epoch(3)
    seen, state = [], {}
    for step, batch in enumerate(batches):
        seen.append(batch["video_id"].tolist())
        dist.all_reduce(torch.ones(1))  # as gradients are: it would hang if one process had a step more
        if step == resumed:
            state = batches.state_dict()
    again = loader()
    again.load_state_dict(state)
    again.sampler.set_epoch(3)
    rest = [batch["video_id"].tolist() for batch in again]
    assert rest == seen[resumed + 1 :], (rest, seen)
    everyone = [None, None]
    dist.all_gather_object(everyone, seen)
    if rank == 0:
        print("SEEN", everyone)
    dist.destroy_process_group()


if __name__ == "__main__":
    see(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
