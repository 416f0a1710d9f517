"""Pools of processes that neither outlive their parent nor keep it waiting after Ctrl-C."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, parent_process
from multiprocessing.context import BaseContext
from typing import Any


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
