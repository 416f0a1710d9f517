"""Pools of processes that neither outlive their parent nor keep it waiting after Ctrl-C."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, parent_process
from multiprocessing.context import BaseContext
from typing import Any, TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")


@contextmanager
def processes(
    count: int, context: BaseContext, start: Callable[..., None], *args: Any
) -> Iterator[ProcessPoolExecutor]:
    """A pool that is not waited for when it is left by an exception.

    Submit under `without_interrupts`: the processes are started then.

    Args:
        count: how many processes.
        context: how they are started.
        start: what each does first, with `args`; `live_with_parent` must be part of it.
    """
    others = set(active_children())
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=start, initargs=args)
    try:
        yield pool
    except BaseException:
        with without_interrupts():  # a second Ctrl-C must leave none of them
            for process in set(active_children()) - others:
                process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def each_in_processes(
    work: Iterable[Work],
    do: Callable[[Work], Result],
    count: int,
    context: BaseContext,
    start: Callable[..., None],
    *args: Any,
) -> Generator[tuple[Work, Result | None], None, None]:
    """What `do` makes of each piece of work, as they are done; None for one over which a process died, twice.

    A process that dies takes only the piece that killed it: what was at work then is done again, each alone, before the
    others go on. Closed before its end, as by Ctrl-C, it leaves no processes.

    Args:
        work: what `do` is called with, in a process; both must pickle.
        do: called with each.
        count: how many processes.
        context: how they are started.
        start: what each does first, with `args`; `live_with_parent` must be part of it.
    """
    left = deque(work)
    while left:
        suspects = yield from _until_one_dies(left, do, count, context, start, *args)
        for suspect in suspects:  # each alone: its neighbour may have been at fault
            if (yield from _until_one_dies(deque([suspect]), do, 1, context, start, *args)):
                yield suspect, None


def _until_one_dies(
    left: deque[Work],
    do: Callable[[Work], Result],
    count: int,
    context: BaseContext,
    start: Callable[..., None],
    *args: Any,
) -> Generator[tuple[Work, Result], None, list[Work]]:
    """The results of what is taken from `left`, to its end or until a process dies; returns what was at work then."""
    running: dict[Future[Result], Work] = {}
    with processes(min(count, len(left)), context, start, *args) as pool:
        try:
            while left or running:
                while left and len(running) < count:  # no more, so that what is running is at work
                    with without_interrupts():
                        future = pool.submit(do, left[0])
                    running[future] = left.popleft()
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    result = done.result()
                    yield running.pop(done), result
        except BrokenProcessPool:
            pass
    return list(running.values())


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Ctrl-C waits until the end of this; processes that are started here inherit that, so it is for this one."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def live_with_parent() -> None:
    """In a process: leave Ctrl-C to the parent, and end when the parent is gone, however it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
