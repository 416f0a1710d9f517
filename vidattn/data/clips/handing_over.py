"""How a data worker hands a batch on to training: through shared memory, of which a container may have little."""

import os
from collections.abc import Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple

from torch.utils.data import get_worker_info

from vidattn.mistakes import Mistake

SHARED = "/dev/shm"
"""Where Linux keeps what processes share; docker gives it 64 MB where nobody asks for more."""

PREFETCHED = 2  # batches that each worker has ready, torch's default
_IN_USE = 2  # batches that training holds: the one at hand, and the one that Lightning has fetched after it


class HandedOver:
    """A batch on its way out of a data worker; it arrives as the batch itself.

    Torch pickles a batch, and copies its tensors to shared memory, in a thread of the worker's queue, which prints an
    error, drops the batch and lives on, so that training waits for it for ever. This does the same within the worker's
    own work, whose errors reach the training.

    Raises:
        ValueError: it cannot be handed on.
    """

    def __init__(self, batch: Any) -> None:
        try:
            self.pickled = bytes(ForkingPickler.dumps(batch))
        except Exception as error:  # a target encoder may have put anything into it
            raise Mistake(f"a data worker cannot hand its batch on ({_line(error)}); {_way_out(error)}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return ForkingPickler.loads, (self.pickled,)


def handed_over(batch: Any) -> Any:
    """What a loader's `collate_fn` returns: the batch as it is, unless a data worker has made it."""
    return batch if get_worker_info() is None else HandedOver(batch)


class Waiting(NamedTuple):
    """What a loader may have ready at once: batches of so many bytes, no more of them than there are."""

    batch: int
    batches: int


def check_shared_memory(loaders: Sequence[Waiting], workers: int, processes: int = 1) -> None:
    """Whether all that waits at once fits into shared memory.

    Args:
        loaders: those that work at the same time.
        workers: of each.
        processes: training processes of this machine.

    Raises:
        ValueError: it does not.
    """
    if not workers or not os.path.isdir(SHARED):
        return
    room = os.statvfs(SHARED)
    free, ready = room.f_bavail * room.f_frsize, PREFETCHED * workers + _IN_USE
    needed = processes * sum(min(ready, loader.batches) * loader.batch for loader in loaders)
    if needed > free:
        largest = max(loader.batch for loader in loaders)
        raise Mistake(
            f"data.num_workers={workers} may have {ready} batches of {largest / 1e6:.1f} MB ready: "
            f"{needed / 1e6:.0f} MB of shared memory in all, and {SHARED} has {free / 1e6:.0f} MB free; start the "
            f"container with more (docker run --shm-size={_gigabytes(needed)}g), or set data.num_workers or "
            "data.batch_size lower (data.num_workers=0 needs none)"
        )


def _gigabytes(size: int) -> int:
    """Twice the size, rounded up."""
    return -(-2 * size // 10**9)


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _way_out(error: Exception) -> str:
    """
    >>> _way_out(OSError(24, "Too many open files"))
    'raise the limit (ulimit -n 4096), or set data.num_workers lower'
    """
    text = str(error)
    if "Too many open files" in text:
        return "raise the limit (ulimit -n 4096), or set data.num_workers lower"
    if "shared memory" in text or "</torch_" in text:  # torch's name for a piece of it
        return (
            "give the machine more of it (docker run --shm-size=8g), or set data.num_workers or data.batch_size lower"
        )
    return "everything in it, also what a target encoder of your own adds, must pickle"
