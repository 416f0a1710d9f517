"""Gives unused memory that the C library holds on to back to the system."""

import ctypes
import sys


class SpareMemory:
    """Counts videos that were answered, and after every so many gives unused memory back to the system.

    An answer leaves small blocks that stay (pictures, probabilities) between the large blocks of the network, which
    come and go. A hole with something in it is too small for the next large block: glibc takes new memory for that and
    keeps the hole, about 1 MiB a video at 8 x 224 pixels, where an answer fills 0.04. glibc's `malloc_trim` gives back
    the pages of all holes. Large blocks outside the heap (`M_MMAP_THRESHOLD`) would leave no holes, but a small network
    takes a quarter longer then.

    Args:
        every: videos from one time to the next.
    """

    def __init__(self, every: int = 64) -> None:
        self.every = every
        self._count = 0

    def answered(self, videos: int) -> None:
        """Count `videos` more."""
        self._count += videos
        if self._count >= self.every:
            self._count = 0
            _give_back()


def _give_back() -> None:
    """Does nothing where the C library is not glibc."""
    if sys.platform == "linux":
        malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if malloc_trim is not None:
            malloc_trim(ctypes.c_size_t(0))
