import ctypes
import os
import platform
from pathlib import Path

import numpy as np
import pytest
from foreseen import brightness_classifier

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def every_other_block() -> list[bytearray]:
    """100 megabytes in use, and as many between them that nobody uses but glibc keeps."""
    bytearray(30 << 20)  # freed at once: from now on glibc puts blocks of up to 30 megabytes into its heap
    return [bytearray(1 << 20) for _ in range(200)][::2]


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("at_once", [64, 1])
def test_after_64_videos_unused_memory_goes_back(at_once, batch_size):
    videos = [np.full((4, 32, 32, 3), 30, np.uint8)] * at_once
    classifier = brightness_classifier()
    classifier.batch_size = batch_size
    ctypes.CDLL(None).malloc_trim(0)  # whatever ran before
    before = resident_megabytes()
    kept = every_other_block()
    assert resident_megabytes() - before > 180

    for _ in range(64 // at_once):
        classifier(videos, progress=False)

    assert resident_megabytes() - before < 130
    assert len(kept) == 100
